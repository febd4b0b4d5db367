import { BEAT, LEAVING } from "./beat-script.ts";
import { STORE_TIME } from "./script-time.ts";
import type { Reply, Script, SharedStore } from "./store.ts";

/** All that a beat brings is under one hash tag, so that one script may read it. */
export const BEAT_TAG = "beat";

/** Beats over which the highest number of copies counts: a store that comes back empty knows none. */
const BEATS_REMEMBERED = 6;

/** One of the things that every beat brings whole. */
export interface BeatPart {
  /** Called in the order in which the store has answered this copy, its other scripts included. */
  heard(reply: readonly Reply[]): void;
}

/** Once a second each copy says that it lives and hears what the others have changed. */
export interface Beat {
  readonly script: Script;
  readonly keys: readonly string[];
  args(): readonly (string | number)[];
  /** Takes the reply to the beat that was sent last, also while the store still counts as away. */
  read(reply: Reply): void;
  /** The arguments that end this copy's life in an orderly way: it no longer counts. */
  leave(): readonly (string | number)[];
  /** Copies alive, this one included; the most of the last six beats. Null before the first. */
  copies(): number | null;
  bring(name: "rests" | "breakers", part: BeatPart): void;
}

export interface BeatOptions {
  /** Differs from that of every other copy, and of every earlier run. */
  readonly copyId: string;
  readonly key: SharedStore["key"];
}

export function createBeat({ copyId, key }: BeatOptions): Beat {
  const parts: Partial<Record<"rests" | "breakers", BeatPart>> = {};
  let counts: readonly number[] = [];

  return {
    script: BEAT,
    keys: [key("copies", BEAT_TAG), key("rests", BEAT_TAG), key("breakers", BEAT_TAG)],
    args: () => [STORE_TIME, copyId],
    read(reply) {
      const [count, rests, breakers] = listOf(reply);
      if (typeof count === "number") counts = [...counts, count].slice(-BEATS_REMEMBERED);
      parts.rests?.heard(listOf(rests));
      parts.breakers?.heard(listOf(breakers));
    },
    leave: () => [STORE_TIME, copyId, LEAVING],
    copies: () => (counts.length === 0 ? null : Math.max(...counts)),
    bring(name, part) {
      parts[name] = part;
    },
  };
}

/** The rows of a table; none in place of anything else. */
function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : [];
}
