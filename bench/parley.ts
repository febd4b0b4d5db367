import { fileURLToPath } from "node:url";
import { request } from "undici";
import { freePort, type Processes, type Running } from "./processes.ts";

/** The operator's own credential, for every Parley that is started here. */
const ADMIN_TOKEN = "bench-admin-token-0123456789abcdef";
const METRICS_TOKEN = "bench-metrics-token";
export const OWN_KEY = "sk-bench";

/** As the image has it: `npm run build` makes it. */
export const PARLEY_SCRIPT = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Counted on every call, reached by none. */
const FAR_LIMITS = {
  SECOND_LIMIT: "1000000",
  MINUTE_LIMIT: "10000000",
  HOUR_LIMIT: "100000000",
};

/** What Parley is started with; its database goes into the folder it is started in. */
export function parleyEnv(port: number, upstreamOrigin: string): Record<string, string> {
  return {
    PORT: String(port),
    HOST: "127.0.0.1",
    API_KEY: OWN_KEY,
    OPENAI_URL: `${upstreamOrigin}/v1`,
    ADMIN_TOKEN,
    METRICS_TOKEN,
    // Streams that wait are measured for longer than the minute of the default.
    UPSTREAM_IDLE_SECONDS: "600",
    ...FAR_LIMITS,
  };
}

/** One Parley by itself, with settings beside or instead of the usual ones. */
export async function startParley(
  processes: Processes,
  upstreamOrigin: string,
  settings: Readonly<Record<string, string>>,
  procsFile: string | null = null,
): Promise<Running> {
  const port = await freePort();
  const env = { ...parleyEnv(port, upstreamOrigin), ...settings };
  const start = { script: PARLEY_SCRIPT, args: [], env, port, readyPath: "/healthz" };
  return processes.start({ ...start, procsFile });
}

/** Reads a gauge of /metrics by its name; NaN of one that is not there. */
export async function readMetrics(origin: string): Promise<(name: string) => number> {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  const { body } = await request(`${origin}/metrics`, { headers });
  const text = await body.text();
  return (name) => Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1]);
}

/** The secret of a token with limits and quotas that are counted on every call and reached by none. */
export async function issueToken(origin: string, model: string): Promise<string> {
  await manage(origin, "PUT", `/admin/prices/${model}`, { input: "0.15", output: "0.6" });
  const issued = await manage(origin, "POST", "/admin/tokens", {
    name: "bench",
    second_limit: 1_000_000,
    minute_limit: 10_000_000,
    requests_per_day: 1_000_000_000,
    tokens_per_month: 1_000_000_000_000,
    money_per_month: "1000000",
  });
  return String(Reflect.get(issued, "token"));
}

async function manage(
  origin: string,
  method: "POST" | "PUT",
  path: string,
  fields: object,
): Promise<object> {
  const { statusCode, body } = await request(origin + path, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(fields),
  });
  const text = await body.text();
  if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${text}`);
  const answer: unknown = JSON.parse(text);
  if (typeof answer === "object" && answer !== null) return answer;
  throw new Error(`${method} ${path}: ${text}`);
}
