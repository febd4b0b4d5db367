/** What the simulation takes for given. CPU is in microseconds at load, with many calls under way. */
export interface Assumptions {
  /** Of a copy, a call with its decisions; the database's part of SQLite is in it. */
  readonly copyUs: number;
  /** Of the store, a script: to read it, run it and reply. */
  readonly scriptUs: number;
  /** Scripts a call that it waits for, one after the other: its address, its token. */
  readonly awaitedScripts: number;
  /** Scripts a call beside those: a stream's lease, and its end. */
  readonly otherScripts: number;
  /** Of the database, a call: its reservation and its end. 0 for SQLite. */
  readonly databaseUs: number;
  /** Until a commit is on disk. */
  readonly commitUs: number;
  readonly databaseCores: number;
  /** How long SQLite's file is locked, a call; other copies then look again after a pause. */
  readonly lockUs: number;
  readonly lockPauseUs: number;
  /** One way, between any two machines. */
  readonly networkUs: number;
  /** Until the upstream has answered. */
  readonly upstreamUs: number;
}

/** As availability.ts has them. */
export const DECISION_US = 100_000;
export const MAX_STRIKES = 3;
export const BEAT_US = 1_000_000;
export const ATTEMPT_US = 500_000;
