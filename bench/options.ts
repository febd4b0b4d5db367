import { parseArgs } from "node:util";
import type { Plan } from "./rounds.ts";

export interface Options extends Plan {
  /** Names of scenarios; empty is all. */
  readonly only: readonly string[];
  readonly jsonFile: string | null;
  /** The paired ratio the guarded scenario may not exceed. */
  readonly guardRatio: number | null;
}

export const USAGE = `node bench/run.ts [options]
  --rounds N      measured rounds of each scenario (8)
  --seconds S     length of a round (1)
  --warm-up S     warm-up of each scenario (3)
  --only A,B      only these scenarios, and those they are compared with
  --json FILE     write every round to FILE
  --guard R       fail when Parley's median CPU ratio to bare is over R
  --help`;

/** Null asks for the usage; throws on what cannot be understood. */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "8" },
      seconds: { type: "string", default: "1" },
      "warm-up": { type: "string", default: "3" },
      only: { type: "string", multiple: true, default: [] },
      json: { type: "string" },
      guard: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return {
    rounds: numberOf("--rounds", values.rounds, 1, 1_000, Number.isInteger),
    seconds: numberOf("--seconds", values.seconds, 0.1, 60),
    warmUpSeconds: numberOf("--warm-up", values["warm-up"], 0, 60),
    only: values.only.flatMap((names) => names.split(",")).map((name) => name.trim()),
    jsonFile: values.json ?? null,
    guardRatio: values.guard === undefined ? null : numberOf("--guard", values.guard, 0.01, 1_000),
  };
}

function numberOf(
  flag: string,
  text: string,
  min: number,
  max: number,
  fits: (value: number) => boolean = Number.isFinite,
): number {
  const value = Number(text);
  if (text.trim() !== "" && fits(value) && value >= min && value <= max) return value;
  throw new Error(`${flag} takes a number from ${min} to ${max}, not "${text}"`);
}
