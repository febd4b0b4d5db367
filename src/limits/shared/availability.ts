import type { Clock } from "../../core/ports.ts";
import type { Beat } from "./beat.ts";
import type { Link } from "./connection.ts";
import { ignore, replyWithin, wait, within } from "./in-time.ts";
import type { OtherProtocol } from "./other-protocol.ts";
import { checkRights } from "./rights.ts";
import { AWAY, type RunNow, type SharedStore } from "./store.ts";
import { isMistake, isState, SLOW, type Trouble, troubleOf } from "./trouble.ts";

/** Longest wait for a decision of the store. */
const DECISION_MS = 100;
/** Decisions in a row, each asked after the one before it was late or failed: then the store is away. */
const MAX_STRIKES = 3;
/** Between two beats, and between two attempts to reach the store. */
const BEAT_MS = 1_000;
const ATTEMPT_MS = 500;
/** What is brought to a store that is back may take so long: it decides again within 5 s. */
const RESTORE_MS = 2_500;
/** One step of that. */
const RESTORE_STEP_MS = 1_000;
/** How long a start waits for the store. */
const START_MS = 2_000;

/** What is asked of the beat here; others hear what it brings. */
type Driven = Pick<Beat, "script" | "keys" | "args" | "leave" | "read" | "copies">;

export interface StoreOptions {
  readonly connect: (onLost: (error: Error) => void) => Promise<Link>;
  /** Asked at a start where nothing came of a connection. */
  readonly otherProtocol?: () => Promise<OtherProtocol | null>;
  readonly beat: Driven;
  readonly key: SharedStore["key"];
  readonly clock: Pick<Clock, "monotonicMs">;
  /** How many copies there are, as long as the store has not told. */
  readonly otherwiseCopies: () => number;
  /** Also when the store, still away, names another cause; each cause once. */
  readonly onAway: (trouble: Trouble) => void;
  readonly onBack: (awayMs: number) => void;
  /** After every decision that was asked for: how long the store took; null if it did not decide. */
  readonly onDecision: (tookMs: number | null) => void;
}

/** The store together with what watches it. */
export interface WatchedStore extends SharedStore {
  /** Null while the store decides. */
  trouble(): Trouble | null;
  /** Takes this copy out of the store. Resolves within a second. */
  close(): Promise<void>;
}

/** A start that can't succeed until a setting is changed. */
export class StoreMistake extends Error {
  override readonly name = "StoreMistake";
  /** In the message are the words of whoever refuses. */
  readonly kind: "refused" | OtherProtocol;

  constructor(kind: StoreMistake["kind"], words = "") {
    super(words);
    this.kind = kind;
  }
}

/** Throws StoreMistake; a store that is merely away is waited for later. */
export async function openStore(options: StoreOptions): Promise<WatchedStore> {
  const store = new Store(options);
  await store.open();
  return store;
}

class Store implements WatchedStore {
  readonly #options: StoreOptions;
  readonly #restores: ((runNow: RunNow) => Promise<void>)[] = [];
  /** Null while the store is away. */
  #connection: Link | null = null;
  #trouble: Trouble | null = { kind: "lost", words: "not connected yet" };
  /** Causes that were told since the store went away. */
  readonly #told = new Set<Trouble["kind"]>();
  #awaySinceMs: number;
  #strikes = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#awaySinceMs = options.clock.monotonicMs();
  }

  trouble = () => this.#trouble;
  isAway = () => this.#connection === null;
  copies = () => this.#options.beat.copies() ?? this.#options.otherwiseCopies();
  key: SharedStore["key"] = (kind, name) => this.#options.key(kind, name);
  onReturn(restore: (runNow: RunNow) => Promise<void>) {
    this.#restores.push(restore);
  }

  async open(): Promise<void> {
    const failure = await Promise.race([this.#attempt(), wait(START_MS)]);
    if (this.#connection !== null) return;
    const trouble = failure === undefined ? SLOW : troubleOf(failure);
    if (failure !== undefined && isMistake(failure)) this.#fail("refused", trouble.words);
    const other = trouble.kind === "lost" ? await this.#options.otherProtocol?.() : null;
    if (other) this.#fail(other);
    if (this.#connection === null) this.#tell(trouble);
  }

  #fail(kind: StoreMistake["kind"], words?: string): never {
    this.#closed = true;
    clearTimeout(this.#timer);
    throw new StoreMistake(kind, words);
  }

  run: SharedStore["run"] = (script, keys, args, { onLate } = {}) => {
    const connection = this.#connection;
    const { clock, onDecision } = this.#options;
    const startedMs = clock.monotonicMs();
    const strikes = this.#strikes;
    if (connection === null) {
      onDecision(null);
      return Promise.resolve(AWAY);
    }
    return within(DECISION_MS, connection.run(script, keys, args), {
      onReply: () => {
        this.#strikes = 0;
        onDecision(clock.monotonicMs() - startedMs);
      },
      onFailure: (trouble) => {
        onDecision(null);
        this.#strike(connection, trouble, strikes);
      },
      onLate,
    });
  };

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    const { script, keys, leave } = this.#options.beat;
    await Promise.race([connection.run(script, keys, leave()).catch(() => null), wait(BEAT_MS)]);
    connection.close();
  }

  /** All that was on its way at one moment is one strike. */
  #strike(connection: Link, trouble: Trouble, strikesBefore: number): void {
    if (connection !== this.#connection) return;
    if (strikesBefore >= this.#strikes) this.#strikes += 1;
    // a store that takes no writes still answers refusals, so that it never fails three times in a row
    if (isState(trouble) || this.#strikes >= MAX_STRIKES) this.#leave(trouble);
  }

  /** From now on this copy decides by itself, and looks for the store. */
  #leave(trouble: Trouble): void {
    this.#connection?.close();
    this.#connection = null;
    this.#awaySinceMs = this.#options.clock.monotonicMs();
    this.#told.clear();
    this.#tell(trouble);
    this.#attemptLater();
  }

  #tell(trouble: Trouble): void {
    this.#trouble = trouble;
    if (this.#told.has(trouble.kind)) return;
    this.#told.add(trouble.kind);
    this.#options.onAway(trouble);
  }

  /** Resolves with what went wrong. */
  async #attempt(): Promise<unknown> {
    let lost: Error | null = null;
    const connecting = this.#options.connect((error) => {
      lost = error;
      if (connection !== null && connection === this.#connection) this.#leave(troubleOf(error));
    });
    let connection: Link | null = null;
    try {
      connection = await connecting;
      await this.#restoreTo(connection);
      if (lost !== null) throw lost as Error;
      if (this.#closed) throw new Error("closed");
      this.#return(connection);
      return undefined;
    } catch (error) {
      connection?.close();
      // before the first one ends, open() tells
      if (this.#told.size > 0 && isState(troubleOf(error))) this.#tell(troubleOf(error));
      this.#attemptLater();
      return error;
    }
  }

  /** The first beat is the proof that the store is there and takes writes. */
  async #restoreTo(connection: Link): Promise<void> {
    const { beat, key } = this.#options;
    await checkRights(connection, key, DECISION_MS);
    beat.read(await replyWithin(DECISION_MS, connection.run(beat.script, beat.keys, beat.args())));
    await Promise.race([this.#restore(connection), wait(RESTORE_MS)]);
  }

  async #restore(connection: Link): Promise<void> {
    const runNow: RunNow = (...asked) =>
      within(RESTORE_STEP_MS, connection.run(...asked), {
        onReply: ignore,
        onFailure: ignore,
        onLate: undefined,
      });
    await Promise.all(this.#restores.map((restore) => restore(runNow)));
  }

  #return(connection: Link): void {
    const { clock, onBack } = this.#options;
    this.#connection = connection;
    this.#trouble = null;
    this.#strikes = 0;
    onBack(clock.monotonicMs() - this.#awaySinceMs);
    // calls that were counted here meanwhile
    void this.#restore(connection);
    this.#beatLater();
  }

  #beatLater(): void {
    const { beat } = this.#options;
    this.#later(BEAT_MS, async () => {
      const reply = await this.run(beat.script, beat.keys, beat.args());
      if (reply !== AWAY) beat.read(reply);
      if (this.#connection !== null) this.#beatLater();
    });
  }

  #attemptLater(): void {
    // not all copies at once
    this.#later(ATTEMPT_MS * (0.8 + 0.4 * Math.random()), () => this.#attempt());
  }

  #later(ms: number, what: () => Promise<unknown>): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void what(), ms);
  }
}
