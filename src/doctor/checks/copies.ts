import { type Finding, fault, ok, warning, withAdmin } from "../check.ts";
import { jsonObject } from "../public-call.ts";

/** Enough to meet each of a few copies behind a proxy that takes turns. */
const QUESTIONS = 16;
const MIN_QUESTIONS = 6;
const SLOW_MS = 500;

/** One copy, as it sees itself. */
export interface CopySeen {
  readonly settings: string;
  readonly version: string;
  readonly alive: number;
  readonly sharesLimits: boolean;
  readonly limitsUp: boolean;
  readonly databaseMs: number | null;
}

/** Do all copies have the same settings, and count together? */
export const checkCopies = withAdmin(async ({ ask }, headers) => {
  const seen = new Map<string, CopySeen>();
  for (let question = 0; question < QUESTIONS; question += 1) {
    const { instance, ...one } = instanceIn(
      (await ask("/admin/doctor/instance", { headers })).text,
    );
    seen.set(instance, one);
    // copies with a database each believe to be alone
    if (question + 1 >= MIN_QUESTIONS && seen.size >= one.alive) break;
  }
  const all = [...seen.values()];
  return copiesFindings(all);
});

export function copiesFindings(all: readonly CopySeen[]): Finding[] {
  const alive = Math.max(...all.map((one) => one.alive));
  const findings = [...differing(all), ...counting(all, alive)];
  return findings.length > 0 ? findings : [ok("copies_ok", { seen: all.length, alive })];
}

function differing(all: readonly CopySeen[]): Finding[] {
  const settings = new Set(all.map((one) => one.settings)).size;
  const versions = new Set(all.map(({ version }) => version));
  return [
    ...(settings > 1 ? [fault("copies_settings", { count: settings })] : []),
    ...(versions.size > 1
      ? [warning("copies_versions", { versions: [...versions].join(", ") })]
      : []),
  ];
}

function counting(all: readonly CopySeen[], alive: number): Finding[] {
  const slowest = Math.max(...all.map(({ databaseMs }) => databaseMs ?? 0));
  return [
    ...(all.some(({ limitsUp }) => !limitsUp) ? [fault("copies_store_away")] : []),
    ...(alive > 1 && all.some(({ sharesLimits }) => !sharesLimits)
      ? [fault("copies_apart", { alive })]
      : []),
    ...(slowest > SLOW_MS ? [warning("copies_slow_database", { ms: slowest })] : []),
  ];
}

function instanceIn(text: string): CopySeen & { readonly instance: string } {
  const found = jsonObject(text);
  const { database_ms: databaseMs } = found;
  return {
    instance: String(found.instance),
    settings: String(found.settings),
    version: String(found.version),
    alive: Number(found.instances ?? 1),
    sharesLimits: found.shares_limits === true,
    limitsUp: found.limits_up !== false,
    databaseMs: typeof databaseMs === "number" ? databaseMs : null,
  };
}
