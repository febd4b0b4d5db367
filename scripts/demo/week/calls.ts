/** Calls that could have been made. */
import { DEFAULT_UPSTREAM } from "../../../src/core/routing/routing.ts";
import { AWAY } from "../models.ts";
import type { Chance } from "./chance.ts";
import { type Ending, endingOf } from "./endings.ts";
import type { HourOfWeek } from "./hours.ts";
import { type Habit, ownKeyHabits, type Person, people, visitorHabits } from "./people.ts";
import { traitsOf } from "./traits.ts";

export interface MadeCall extends Ending, Habit {
  readonly at: number;
  /** Null: a visitor, or a caller with a key of their own. */
  readonly person: Person | null;
  readonly keyDigest: string | null;
  readonly requestId: string;
  readonly upstream: string;
  readonly upstreamModel: string;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly firstTokenMs: number;
}

/** Visitors, and callers with keys of their own; the others have tokens. */
const VISITORS = 0.12;
const OWN_KEYS = 0.08;
/** Of callers with keys of their own. */
const OWN_KEY_HOLDERS = 9;
const DIGEST_DIGITS = 64;
const REQUEST_DIGITS = 32;

/** The calls of one hour, oldest first. */
export function callsOf(hour: HourOfWeek, chance: Chance): readonly MadeCall[] {
  const times = Array.from({ length: hour.calls }, () =>
    Math.floor(chance.between(hour.from, hour.to)),
  );
  return times.toSorted((a, b) => a - b).map((at) => callAt(at, hour, chance));
}

function callAt(at: number, { machines, isOutage }: HourOfWeek, chance: Chance): MadeCall {
  const caller = callerOf(chance.isIn(machines), chance);
  const habit = chance.pick(caller.habits);
  const traits = traitsOf(habit.model, chance);
  // its calls go to the next in the route
  const upstream = isOutage && traits.upstream === AWAY ? DEFAULT_UPSTREAM : traits.upstream;
  const ending = endingOf(at, { upstream, hasToken: caller.person !== null }, chance);
  return {
    at,
    ...habit,
    ...traits,
    ...ending,
    upstream,
    person: caller.person,
    keyDigest: caller.keyDigest,
    requestId: chance.hex(REQUEST_DIGITS),
  };
}

interface Caller {
  readonly person: Person | null;
  readonly keyDigest: string | null;
  readonly habits: readonly Habit[];
}

const machinesOf = people.filter(({ isMachine }) => isMachine === true);
const humans = people.filter(({ isMachine }) => isMachine !== true);

function callerOf(isMachine: boolean, chance: Chance): Caller {
  const kind = chance.next();
  if (!isMachine && kind < VISITORS) {
    return { person: null, keyDigest: null, habits: visitorHabits };
  }
  if (!isMachine && kind < VISITORS + OWN_KEYS) {
    const holder = Math.floor(chance.next() * OWN_KEY_HOLDERS);
    const keyDigest = String(holder).repeat(DIGEST_DIGITS);
    return { person: null, keyDigest, habits: ownKeyHabits };
  }
  const person = chance.pick(isMachine ? machinesOf : humans);
  return { person, keyDigest: null, habits: person.habits };
}
