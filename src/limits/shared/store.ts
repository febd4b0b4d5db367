/** A script that the store runs in one step. */
export interface Script {
  /** Names it in errors. */
  readonly name: string;
  /** Lua 5.1, as Valkey and Redis run it. Every key that it touches shares the hash tag of its keys. */
  readonly lua: string;
  /** Replies with bytes instead of text. */
  readonly bytes?: boolean;
}

/** What a script replies with: a table is an array, true is 1, false and nil are null. */
export type Reply = number | string | Uint8Array | null | readonly Reply[];

/** In place of a reply: the store is away, or it was too slow, so the copy decides by itself. */
export const AWAY = Symbol("the store is away");
export type Away = typeof AWAY;

export interface RunOptions {
  /** Gets a reply that came too late, when AWAY was already returned: its effect may have to be undone. */
  readonly onLate?: (reply: Reply) => void;
}

/** Where several copies count together: Valkey or Redis. Nothing here rejects. */
export interface SharedStore {
  /**
   * Runs a script. AWAY at once while the store is away, else a reply or AWAY within 100 ms. The
   * script may have run, or run later, all the same.
   */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
    options?: RunOptions,
  ): Promise<Reply | Away>;
  /** The whole key of a bucket, with the prefix of this installation: `parley:<id>:<kind>:{<name>}`. */
  key(kind: string, name: string): string;
  /** From memory. */
  isAway(): boolean;
  /**
   * Adds what is done each time the store is back, before `isAway` turns false: `restore` may use
   * `runNow`. It has a few seconds; what it has not done by then is left out.
   */
  onReturn(restore: (runNow: RunNow) => Promise<void>): void;
  /** Copies that were alive when they were last counted, this one included: 1 or more. From memory. */
  copies(): number;
}

/** As `run`, also while the store is still away; with a longer time-out. */
export type RunNow = (
  script: Script,
  keys: readonly string[],
  args: readonly (string | number | Uint8Array)[],
) => Promise<Reply | Away>;

/** Keys of one installation. The braces make keys of one name neighbors on a cluster. */
export function createKey(prefix: string): SharedStore["key"] {
  return (kind, name) => `${prefix}${kind}:{${name}}`;
}
