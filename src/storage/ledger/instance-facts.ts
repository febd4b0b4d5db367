import type { Database } from "../driver/database.ts";
import { prepare } from "../driver/queries.ts";
import type { Living } from "./silence.ts";

/** What copies must have in common. */
export interface InstanceFactsRow {
  readonly version: string;
  /** A keyed hash: equal where the settings are. */
  readonly settings: string;
}

export interface SharedFacts {
  /** Told to all with the next heartbeat. */
  share(facts: InstanceFactsRow): void;
  /** Of the instances that are alive, as far as they have told; releases before this one tell nothing. */
  read(): Promise<readonly InstanceFactsRow[]>;
}

interface SharedFactsOptions {
  readonly wallMs: () => number;
  readonly staleMs: number;
}

/** Facts of the instances beside their heartbeats. `own` is what the heartbeat writes. */
export function createSharedFacts(
  { driver, builder }: Database,
  { wallMs, staleMs }: SharedFactsOptions,
): SharedFacts & { own(): string | null } {
  let own: string | null = null;
  const living = prepare<Living, { facts: string | null }>(({ int }) =>
    builder
      .selectFrom("owners")
      .select("facts")
      .where("seen_at", ">=", int("seenFrom"))
      .where("seen_at", "<=", int("seenTo"))
      .limit(MAX_INSTANCES),
  );
  return {
    own: () => own,
    share({ version, settings }) {
      own = JSON.stringify({ version, settings });
    },
    async read() {
      const now = wallMs();
      const rows = await driver.all(living({ seenFrom: now - staleMs, seenTo: now + staleMs }));
      // cast: `share` wrote it
      return rows.flatMap(({ facts }) =>
        facts === null ? [] : (JSON.parse(facts) as InstanceFactsRow),
      );
    },
  };
}

/** More copies than these would not be looked at. */
const MAX_INSTANCES = 1_000;
