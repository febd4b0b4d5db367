import { bare, type Candidate, direct, parley, parleyWithToken, portkey } from "./candidates.ts";
import {
  type BenchRequest,
  chatRequest,
  envelopeRequest,
  longRequest,
  streamRequest,
  turnRequest,
} from "./requests.ts";

/** What `--only` chooses by. */
export const GROUPS = ["json", "token", "envelope", "chats", "100kb", "stream"] as const;
export type Group = (typeof GROUPS)[number];

/** One candidate under one kind of load: one line of the report. */
export interface Scenario {
  readonly name: string;
  readonly group: Group;
  readonly candidate: Candidate;
  readonly request: (bearer: string) => BenchRequest;
  /** Connections kept busy while CPU is measured. */
  readonly connections: number;
  /** The scenario whose CPU per call is 1; null where there is no gateway to measure. */
  readonly baseline: string | null;
  /** Whether its latency is measured, which takes as long as all of its CPU rounds. */
  readonly timed: boolean;
}

/** Bare in a second process: how far its ratio is from 1 is the error of the run. */
export const CONTROL = "bare again";
export const BARE = "bare";
export const DIRECT = "direct";

const CONNECTIONS = 32;
/** Each takes a second, so that many are needed to keep a gateway busy. */
const STREAMS = 300;

const json = {
  group: "json",
  request: (bearer: string) => chatRequest(bearer),
  connections: CONNECTIONS,
  baseline: BARE,
  timed: false,
} as const;
const long = { ...json, group: "100kb", request: longRequest, baseline: "bare 100 KB" } as const;
const stream = {
  ...json,
  group: "stream",
  request: (bearer: string) => streamRequest(bearer),
  connections: STREAMS,
  baseline: "bare stream",
} as const;

const always: readonly Scenario[] = [
  { ...json, name: DIRECT, candidate: direct, baseline: null, timed: true },
  { ...json, name: BARE, candidate: bare, timed: true },
  { ...json, name: CONTROL, candidate: bare },
  { ...json, name: "parley /v1", candidate: parley, timed: true },
  { ...json, name: "parley /v1 token", candidate: parleyWithToken, group: "token", timed: true },
  {
    ...json,
    name: "parley envelope",
    candidate: parley,
    group: "envelope",
    request: () => envelopeRequest,
    timed: true,
  },
  {
    ...json,
    name: "parley chats turn",
    candidate: parley,
    group: "chats",
    request: (bearer) => turnRequest(bearer),
  },
  { ...long, name: "bare 100 KB", candidate: bare },
  { ...long, name: "parley /v1 100 KB", candidate: parley },
  { ...stream, name: "bare stream", candidate: bare },
  { ...stream, name: "parley /v1 stream", candidate: parley },
];

/** All there are; Portkey's only when its server is installed. */
export function createScenarios(portkeyScript: string | null): readonly Scenario[] {
  if (portkeyScript === null) return always;
  const candidate = portkey(portkeyScript);
  return [
    ...always,
    { ...json, name: "portkey /v1", candidate, timed: true },
    { ...long, name: "portkey /v1 100 KB", candidate },
    { ...stream, name: "portkey /v1 stream", candidate },
  ];
}

/** Those of the groups, with those they are compared with; of no group: all. */
export function choose(
  scenarios: readonly Scenario[],
  groups: readonly Group[],
): readonly Scenario[] {
  if (groups.length === 0) return scenarios;
  const asked = scenarios.filter(({ group }) => groups.includes(group));
  const wanted = new Set(asked.flatMap(({ name, baseline }) => [name, baseline]));
  return scenarios.filter(({ name, timed }) => wanted.has(name) || (name === DIRECT && timed));
}
