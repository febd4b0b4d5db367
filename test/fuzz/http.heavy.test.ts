/** Every route of every dialect, sent what nobody would send. A new route is in it without an edit. */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { deadline, postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import type { ParleyProcess } from "../support/process.ts";
import { neighborCall } from "../support/timing.ts";
import type { ScriptedUpstream } from "../support/upstream.ts";
import { createJudge, type Judge } from "./support/judge.ts";
import { createKeptConnection } from "./support/keep-alive.ts";
import { type FuzzedRequest, fuzzedRequests, toBytes } from "./support/requests.ts";
import { type FuzzedRoute, routesOf } from "./support/routes.ts";
import { FUZZ_MS, isDeep, REQUESTS, SEED } from "./support/sizes.ts";

const BATCH = 1_000;
const AT_A_TIME = 32;
/** The slowest of a batch are sent again, alone: none may take as long as so many other calls. */
const SLOWEST = 3;
const MAX_NEIGHBOR_CALLS = 200;
/** Takes its time by itself: ticks for those who look at a proxy. */
const PACED = /^\S+ \S*\/admin\/doctor\/stream/;
/** What a request may wait because other suites have the machine, not because it hangs. */
const STALL_MS = 4_000;
const RSS_GROWTH_BYTES = 50 * 1_048_576;

const OPERATOR_KEY = "sk-operator-of-the-fuzz";
const ADMIN_TOKEN = "admin-0123456789-0123456789";
const METRICS_TOKEN = "metrics-0123456789";
const OWN_KEY = "sk-caller-of-the-fuzz";

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
let routes: readonly FuzzedRoute[];
let judge: Judge;
let token: string;

const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });

beforeAll(async () => {
  const env = {
    ...{
      API_KEY: OPERATOR_KEY,
      ADMIN_TOKEN,
      METRICS_TOKEN,
      ROUTE: "api",
      TRUSTED_PROXIES: "loopback",
    },
    ...{ MAX_BODY_BYTES: "65536", ALLOWED_MODELS: "gpt-4o-mini, gpt-4o" },
  };
  ({ upstream, parley } = await startPair(env, { withCollector: true }));
  routes = await routesOf(parley.url);
  judge = await createJudge(parley.url, [OPERATOR_KEY, ADMIN_TOKEN, METRICS_TOKEN]);
  const admin = { headers: bearer(ADMIN_TOKEN) };
  await postJson(`${parley.url}/admin/prices/import`, { default: true }, admin);
  const made = await postJson(`${parley.url}/admin/tokens`, { name: "fuzz" }, admin);
  token = String(Reflect.get(Object(made.json), "token"));
}, FUZZ_MS);

interface Tally {
  readonly statuses: Map<number, number>;
  readonly faults: string[];
}

const textOf = (sent: FuzzedRequest) => toBytes(sent).toString("latin1").slice(0, 1_000);

function createSender(tally: Tally) {
  const connection = createKeptConnection(parley.port);
  let before: FuzzedRequest | null = null;
  return {
    async send(sent: FuzzedRequest): Promise<number> {
      const startedMs = performance.now();
      const answered = connection.send(toBytes(sent), sent.method === "HEAD");
      const reply = await deadline(answered, STALL_MS, "an answer").catch(() => null);
      const fault = judge(sent, reply);
      const status = reply?.status ?? 0;
      tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
      const tookMs = performance.now() - startedMs;
      const after = before === null ? "" : `\nafter ${textOf(before)}`;
      if (fault !== null)
        tally.faults.push(`${fault} in ${tookMs.toFixed(0)} ms\n${textOf(sent)}${after}`);
      before = sent;
      return performance.now() - startedMs;
    },
    close: connection.close,
  };
}

async function sendAll(requests: readonly FuzzedRequest[], tally: Tally): Promise<void> {
  const rest = requests.values();
  const times: { readonly sent: FuzzedRequest; readonly tookMs: number }[] = [];
  const worker = async () => {
    const sender = createSender(tally);
    for (const sent of rest) times.push({ sent, tookMs: await sender.send(sent) });
    sender.close();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));

  // on a machine with other work everything is late at times: what hangs does so again, alone
  const sender = createSender(tally);
  const unpaced = times.filter(({ sent }) => !PACED.test(textOf(sent)));
  for (const { sent } of unpaced.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, SLOWEST)) {
    const neighborMs = await neighborCall(parley.url);
    const tookMs = await sender.send(sent);
    if (tookMs > MAX_NEIGHBOR_CALLS * neighborMs) {
      tally.faults.push(`${tookMs} ms, another call ${neighborMs} ms\n${textOf(sent)}`);
    }
  }
  sender.close();
}

test(
  `${REQUESTS} requests to all routes get an answer in the dialect's form, none a 5xx`,
  async () => {
    process.stdout.write(`fuzz http: seed ${SEED}\n`);
    const requests = fuzzedRequests(routes, {
      bearer: [OWN_KEY, token],
      admin: [ADMIN_TOKEN],
      metrics: [METRICS_TOKEN],
    });
    const tally: Tally = { statuses: new Map(), faults: [] };
    let before = 0;
    let liveBefore = 0;
    const startedMs = performance.now();
    for (let done = 0; done < REQUESTS && tally.faults.length <= 20; done += BATCH) {
      if (isDeep && done === REQUESTS / 2) {
        liveBefore = await parley.liveBytes();
        before = parley.residentBytes();
      }
      await sendAll(fc.sample(requests, { numRuns: BATCH, seed: SEED + done }), tally);
    }
    const grown = isDeep ? parley.residentBytes() - before : 0;
    const live = isDeep ? (await parley.liveBytes()) - liveBefore : 0;
    const seconds = (performance.now() - startedMs) / 1_000;
    const counts = [...tally.statuses].sort(([a], [b]) => a - b).map((pair) => pair.join(" x "));
    const memory = isDeep ? `RSS +${grown}, in use +${live} bytes in the second half; ` : "";
    process.stdout.write(
      `fuzz http: ${REQUESTS} in ${seconds.toFixed(1)} s; ${memory}${counts.join(", ")}\n`,
    );
    expect(tally.faults.slice(0, 5)).toEqual([]);
    expect(grown).toBeLessThan(RSS_GROWTH_BYTES);
    expect(live).toBeLessThan(RSS_GROWTH_BYTES / 5);
    // the changes reach deep: every gate has said no, and many were let through
    for (const status of [200, 400, 401, 403, 404, 405, 413, 415]) {
      expect(tally.statuses.get(status) ?? 0, `answers ${status}`).toBeGreaterThan(0);
    }
    const lines = parley.output.filter((line) =>
      /unexpected error|unhandledRejection|uncaughtException|"level":[56]0|sk-operator|admin-0/.test(
        line,
      ),
    );
    expect(lines).toEqual([]);
    expect(parley.stderr().replaceAll(/^collected .*\n/gm, "")).toBe("");
    expect(upstream.requests.filter(({ path }) => !path.startsWith("/v1/"))).toEqual([]);
  },
  FUZZ_MS,
);

test("afterwards each route answers its example, and nothing has stuck to all objects", async () => {
  // nobody has guessed at /admin from there
  const from = { "x-forwarded-for": "192.0.2.1" };
  const admin = { headers: { ...bearer(ADMIN_TOKEN), ...from } };
  const made = await postJson(`${parley.url}/admin/tokens`, { name: "example" }, admin);
  const { id } = made.json as { id: string };
  for (const { method, path, params, example, name } of routes) {
    // the examples of a sign-in are no secrets of ours
    if (example === undefined || /^\/admin\/(?:session|setup)$/.test(path)) continue;
    const ofToken = path.startsWith("/admin/tokens/") ? id : undefined;
    const filled = path.replaceAll(
      /\{(\w+)\}/g,
      (_all, param) => ofToken ?? params.get(param) ?? "",
    );
    const isAdmin = path.startsWith("/admin") || path === "/system";
    const headers = { ...bearer(isAdmin ? ADMIN_TOKEN : OWN_KEY), ...from };
    const reply = await postJson(parley.url + filled, example, { method, headers });
    expect([200, 201, 409], `${name} ${reply.text}`).toContain(reply.status);
  }
  // a polluted prototype would supply fields that these do not bring
  const missing = await postJson(`${parley.url}/api`, {});
  expect(missing.json).toMatchObject({ code: 400, data: { error: "field_missing" } });
  await postJson(`${parley.url}/api`, { user_content: "hello" });
  expect(upstream.requests.at(-1)?.json).toEqual({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "hello" }],
    max_tokens: 100,
  });
  expect(await parley.metric("parley_open_calls")).toBe(0);
});
