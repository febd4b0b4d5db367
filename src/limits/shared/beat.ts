import type { Reply, Script } from "./store.ts";

export interface Beat {
  readonly script: Script;
  readonly keys: readonly string[];
  args(): readonly (string | number)[];
  /** Takes this copy out. */
  leave(): readonly (string | number)[];
  read(reply: Reply): void;
  /** Null until the store has told. */
  copies(): number | null;
}
