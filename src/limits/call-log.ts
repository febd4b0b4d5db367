/**
 * The admitted calls of one bucket, shared by all windows. An entry of several calls carries the
 * time of its latest, so they leave a window late, never early. Places are numbers whose meaning is
 * the log's own.
 */
export interface CallLog {
  /** In entries. No getter: with one the object would be slow in all it does. */
  length(): number;
  /** NO_ENTRY when it is empty. */
  newest(): number;
  /** The next older entry, or NO_ENTRY. */
  before(place: number): number;
  timeMs(place: number): number;
  calls(place: number): number;
  append(timeMs: number, calls: number): void;
  /** Counts one more call in the newest entry, whose time is then this. */
  addToNewest(timeMs: number): void;
  empty(): void;
}

export const NO_ENTRY = -1;
