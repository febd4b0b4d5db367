/** A shared store in a real server, which is away, late or at another time when a test says so. */
import { connect, type Link } from "../../src/limits/shared/connection.ts";
import { AWAY, type Reply, type RunNow, type SharedStore } from "../../src/limits/shared/store.ts";
import { closeAfterFile } from "./cleanup.ts";

export interface SwitchedStore extends SharedStore {
  readonly connection: Link;
  /** From now on nothing reaches the store. */
  goAway(): void;
  /** Does what is done on return, after the first beat, then decides again. */
  comeBack(firstBeat?: () => Promise<void>): Promise<void>;
  /** As `run`, also while it is away. */
  readonly runNow: RunNow;
  /** Replies still come, but too late; resolves when all of them have come. */
  beLate(): () => Promise<void>;
  setCopies(count: number): void;
  /** Scripts sent so far, restoring ones included. */
  sent(): number;
}

export interface SwitchedOptions {
  readonly port: number;
  readonly prefix: string;
  /** The store's time where a test holds it, in microseconds. */
  readonly nowUs?: () => number;
}

export async function openSwitchedStore(options: SwitchedOptions): Promise<SwitchedStore> {
  const { port, prefix, nowUs = () => 0 } = options;
  const connection = closeAfterFile(
    await connect(
      {
        target: { host: "127.0.0.1", port, tls: false },
        username: null,
        password: null,
        db: 0,
        ca: null,
      },
      () => undefined,
    ),
  );
  const restores: ((runNow: RunNow) => Promise<void>)[] = [];
  let away = false;
  let late: Promise<void>[] | null = null;
  let copies = 1;
  let sent = 0;

  const send: RunNow = (script, keys, [first = "", ...rest]) => {
    sent += 1;
    // a script that takes a time begins with it; 0 is the store's own
    return connection.run(script, keys, [first === 0 ? nowUs() : first, ...rest]);
  };

  return {
    connection,
    runNow: send,
    key: (kind, name) => `${prefix}${kind}:{${name}}`,
    isAway: () => away,
    copies: () => copies,
    onReturn: (restore) => restores.push(restore),
    async run(script, keys, args, { onLate } = {}) {
      if (away) return AWAY;
      if (late === null) return send(script, keys, args);
      const reply = send(script, keys, args) as Promise<Reply>;
      late.push(reply.then(onLate));
      return AWAY;
    },
    goAway() {
      away = true;
    },
    async comeBack(firstBeat) {
      await firstBeat?.();
      for (const restore of restores) await restore(send);
      away = false;
    },
    beLate() {
      const these: Promise<void>[] = [];
      late = these;
      return async () => {
        late = null;
        await Promise.all(these);
      };
    },
    setCopies(count) {
      copies = count;
    },
    sent: () => sent,
  };
}
