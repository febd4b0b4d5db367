import { parseArgs } from "node:util";
import type { Plan } from "./rounds.ts";
import { GROUPS, type Group } from "./scenarios.ts";

/** What can be measured, each by itself. */
export const PHASES = ["cpu", "latency", "memory", "start"] as const;
export type Phase = (typeof PHASES)[number];

export interface Options extends Plan {
  readonly only: readonly Group[];
  readonly phases: readonly Phase[];
  readonly portkey: boolean;
  readonly soakMinutes: number | null;
  /** Copies of one installation, each number of them; null: not asked for. */
  readonly copies: readonly number[] | null;
  /** So many streams at a time in so much memory; null: not asked for. */
  readonly memoryLimit: { readonly streams: number; readonly limitMb: number } | null;
  /** What the image adds to its base, in MB, as whoever built it measured. */
  readonly imageMb: number | null;
  readonly jsonFile: string | null;
}

export const USAGE = `node bench/run.ts [options]
What is measured; without any of these: all but --portkey, in about five minutes
  --cpu           CPU per call and per relayed chunk
  --latency       added latency at a low fixed rate
  --memory        memory of open, idle streams
  --start         time from the start of a process to its first answer
  --portkey       Portkey's gateway beside the others; installs it into the cache of this user
  --all           all of it, with the calls that a p99 wants; about twelve minutes
  --soak MINUTES  instead of all that: a mixed load, and whether memory stays
  --memory-limit MB [--streams N]
                  instead of all that: whether N streams at a time (500) fit into MB of memory
  --copies [--counts 1,2,4]
                  instead of all that: so many copies of one installation, which share their stores
How
  --only A,B      of CPU and latency only ${GROUPS.join(", ")}
  --rounds N      measured rounds of each scenario (8; 5 of latency)
  --seconds S     length of a CPU round (1)
  --warm-up S     warm-up of each scenario (3)
  --calls N       calls of a latency round (400; 2000 with --latency or --all)
  --image MB      the size of the image without its base, to be noted with the results
  --json FILE     write the results to FILE
  --help`;

/** Null asks for the usage; throws on what cannot be understood. */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({ args: [...args], options: known });
  if (values.help) return null;
  const only = values.only.flatMap((names) => names.split(",")).map(groupOf);
  const asked = PHASES.filter((phase) => values[phase] || values.all);
  const rounds = optional("--rounds", values.rounds, 1, 1_000, Number.isInteger);
  return {
    rounds: rounds ?? 8,
    latencyRounds: rounds ?? 5,
    seconds: optional("--seconds", values.seconds, 0.1, 60) ?? 1,
    warmUpSeconds: optional("--warm-up", values["warm-up"], 0, 60) ?? 3,
    calls:
      optional("--calls", values.calls, 1, 100_000, Number.isInteger) ??
      (asked.includes("latency") ? 2_000 : 400),
    only,
    phases: asked.length > 0 ? asked : usualPhases(only),
    portkey: values.portkey || values.all,
    memoryLimit: memoryLimitOf(values),
    copies: values.copies ? values.counts.split(",").map(countOf) : null,
    soakMinutes: optional("--soak", values.soak, 0.1, 100_000),
    imageMb: optional("--image", values.image, 0.1, 100_000),
    jsonFile: values.json ?? null,
  };
}

const flag = { type: "boolean", default: false } as const;
const text = { type: "string" } as const;
const known = {
  cpu: flag,
  latency: flag,
  memory: flag,
  start: flag,
  portkey: flag,
  all: flag,
  soak: text,
  "memory-limit": text,
  streams: text,
  copies: flag,
  counts: { type: "string", default: "1,2,4" },
  only: { type: "string", multiple: true, default: [] as string[] },
  rounds: text,
  seconds: text,
  "warm-up": text,
  calls: text,
  image: text,
  json: text,
  help: flag,
} as const;

/** Where none is asked for: all that do not take long, of groups those they have a say in. */
function usualPhases(only: readonly Group[]): readonly Phase[] {
  return only.length > 0 ? ["cpu", "latency"] : ["cpu", "latency", "memory", "start"];
}

function memoryLimitOf(values: { "memory-limit"?: string; streams?: string }) {
  const limitMb = optional("--memory-limit", values["memory-limit"], 32, 100_000);
  const streams = optional("--streams", values.streams, 1, 10_000, Number.isInteger) ?? 500;
  return limitMb === null ? null : { limitMb, streams };
}

function groupOf(name: string): Group {
  const found = GROUPS.find((group) => group === name.trim().toLowerCase());
  if (found !== undefined) return found;
  throw new Error(`--only takes ${GROUPS.join(", ")}, not "${name}"`);
}

function countOf(given: string): number {
  return optional("--counts", given, 1, 16, Number.isInteger) ?? 1;
}

function optional(
  option: string,
  given: string | undefined,
  min: number,
  max: number,
  fits: (value: number) => boolean = Number.isFinite,
): number | null {
  if (given === undefined) return null;
  const value = Number(given);
  if (given.trim() !== "" && fits(value) && value >= min && value <= max) return value;
  throw new Error(`${option} takes a number from ${min} to ${max}, not "${given}"`);
}
