import { request as ask } from "undici";
import { freePort, type Processes } from "./processes.ts";
import type { BenchRequest } from "./requests.ts";
import type { Scenario } from "./scenarios.ts";

/** A scenario whose candidate is up and answers as it should. */
export interface Lane {
  readonly scenario: Scenario;
  readonly origin: string;
  /** The gateway; null where there is none. */
  readonly pid: number | null;
  readonly request: BenchRequest;
  readonly stop: () => Promise<void>;
}

/** Starts the candidate, and throws when it does not answer the scenario's request properly. */
export async function openLane(
  scenario: Scenario,
  upstreamOrigin: string,
  processes: Processes,
): Promise<Lane> {
  const { candidate, name } = scenario;
  const { script, args, env, readyPath } = candidate;
  try {
    const place = { port: await freePort(), upstreamOrigin };
    const start = { args: args(place), env: env(place), port: place.port, readyPath };
    const running = script === null ? null : await processes.start({ ...start, script });
    const origin = running?.origin ?? upstreamOrigin;
    const wanted = scenario.request(await candidate.bearer(origin));
    const extra = candidate.headers?.(upstreamOrigin) ?? {};
    const request = { ...wanted, headers: { ...wanted.headers, ...extra } };
    await verify(origin, request);
    const stop = running?.stop ?? (() => Promise.resolve());
    return { scenario, origin, pid: running?.pid ?? null, request, stop };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`"${name}" cannot be measured: ${reason}`, { cause });
  }
}

/** Throws unless the answer is a 200 with what has to stand in it. */
async function verify(origin: string, { path, headers, body, expects }: BenchRequest) {
  const url = origin + path.replace("{n}", "0");
  const answer = await ask(url, { method: "POST", headers, body });
  const text = await answer.body.text();
  if (answer.statusCode === 200 && text.includes(expects)) return;
  throw new Error(`POST ${path} was answered ${answer.statusCode}: ${text.slice(0, 200)}`);
}
