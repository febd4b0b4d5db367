import { BEAT, LEAVE_BEAT } from "./beat-script.ts";
import { STORE_TIME } from "./script-time.ts";
import type { Reply, Script, SharedStore } from "./store.ts";

/** How often each copy sends its beat. Milliseconds. */
export const BEAT_MS = 1_000;

/** All that a beat brings is under one hash tag, so that one script may read it. */
export const BEAT_TAG = "beat";

/** Beats over which the highest number of copies counts: a store that comes back empty knows none. */
const BEATS_REMEMBERED = 6;

/** One of the things that every beat brings whole. */
export interface BeatPart {
  /** A beat is about to be sent: what this copy changes from now on is newer than what it brings. */
  sending(): void;
  heard(reply: readonly Reply[]): void;
}

/** A script to be run with these keys and arguments. */
export interface ScriptCall {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** Once a second each copy says that it lives and hears what the others have changed. */
export interface Beat {
  readonly script: Script;
  readonly keys: readonly string[];
  /** To be called for each beat, right before it is sent. One beat at a time. */
  args(): readonly (string | number)[];
  /** Takes the reply to the beat that was sent last, also while the store still counts as away. */
  read(reply: Reply): void;
  /** Copies alive, this one included; the highest of the last six beats. 1 or more. */
  copies(): number;
  bring(name: "rests" | "breakers", part: BeatPart): void;
  /** For the orderly end of this copy: it no longer counts as alive. */
  readonly leaving: ScriptCall;
}

export interface BeatOptions {
  /** Differs from that of every other copy, and of every earlier run. */
  readonly copyId: string;
  readonly key: SharedStore["key"];
  /** Copies there are as long as none has been seen. */
  readonly instances: number;
}

export function createBeat({ copyId, key, instances }: BeatOptions): Beat {
  const copiesKey = key("copies", BEAT_TAG);
  const parts: Partial<Record<"rests" | "breakers", BeatPart>> = {};
  let counts: readonly number[] = [Math.max(1, instances)];

  return {
    script: BEAT,
    keys: [copiesKey, key("rests", BEAT_TAG), key("breakers", BEAT_TAG)],
    args() {
      parts.rests?.sending();
      parts.breakers?.sending();
      return [STORE_TIME, copyId];
    },
    read(reply) {
      const [count, rests, breakers] = listOf(reply);
      if (typeof count === "number") counts = [...counts, count].slice(-BEATS_REMEMBERED);
      parts.rests?.heard(listOf(rests));
      parts.breakers?.heard(listOf(breakers));
    },
    copies: () => Math.max(...counts),
    bring(name, part) {
      parts[name] = part;
    },
    leaving: { script: LEAVE_BEAT, keys: [copiesKey], args: [copyId] },
  };
}

/** The rows of a table; none in place of anything else. */
function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : [];
}
