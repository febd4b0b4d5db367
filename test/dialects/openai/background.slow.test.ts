/** An answer that is made in the background costs what it comes to, however long that takes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { refuse, silent } from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { startProcess, until } from "../../support/process.ts";
import { OPERATOR_KEY, OWN_KEY } from "../../support/scene.ts";
import { type Behaviour, type Choose, goodHeaders } from "../../support/upstream.ts";
import {
  ADMIN_ENV,
  bearer,
  issue,
  MODEL,
  rowsIn,
  setPrice,
  startAlone,
  startTokenScene,
  type TokenScene,
  tell,
} from "./support.ts";

/** Two looks, the first after two seconds. */
const SETTLED_MS = 12_000;
const usage = { input_tokens: 10, output_tokens: 1_500, total_tokens: 1_510 };
const answerOf = (status: string) => ({
  id: "resp_bg",
  object: "response",
  model: MODEL,
  status,
  background: true,
  output: [],
  usage: status === "completed" ? usage : null,
});

/** Tells of these states when it is asked about an answer; the last one stays. */
function workshop(...states: readonly string[]): Choose {
  const left = [...states];
  return ({ method, json }) => {
    if (method === "POST") return isStreamed(json) ? begin : tell(answerOf("queued"));
    const state = left.length > 1 ? left.shift() : left[0];
    return state === undefined ? refuse(404) : tell(answerOf(state));
  };
}

/** The first event of a stream, and no more. */
const begin: Behaviour = {
  name: "begin",
  run: async ({ request, response, write }) => {
    response.writeHead(200, goodHeaders(request, "text/event-stream"));
    const created = { type: "response.created", response: answerOf("queued") };
    await write(`event: response.created\ndata: ${JSON.stringify(created)}\n\n`);
  },
};

const isStreamed = (json: unknown) =>
  typeof json === "object" && json !== null && Reflect.get(json, "stream") === true;

const body = (most: number) => ({
  model: MODEL,
  background: true,
  max_output_tokens: most,
  input: "write a book",
});

const admitted = async (scene: TokenScene, fields: object, most: number, calls: number) => {
  const { token } = await scene.issue(fields);
  const url = `${scene.parley.origin}/v1/responses`;
  let count = 0;
  for (let call = 0; call < calls; call += 1) {
    const { status } = await postJson(url, body(most), { headers: bearer(token) });
    if (status === 200) count += 1;
  }
  return count;
};

describe.concurrent("a background answer", () => {
  test.each([
    ["2,000 tokens a day", { tokens_per_day: 2_000 }, 1_500, 1],
    ["10,000 tokens a day", { tokens_per_day: 10_000 }, 4_000, 2],
    ["$0.002 a day", { money_per_day: "0.002" }, 1_500, 2],
  ])(
    "of a token with %s is admitted as often as in the foreground",
    async (_, fields, most, times) => {
      const scene = await startTokenScene({}, { behaviour: workshop("in_progress") });
      expect(await admitted(scene, fields, most, 6)).toBe(times);
      expect(scene.rows()).toEqual([]);
    },
  );

  test.each([
    ["its usage, once that is known", workshop("in_progress", "completed"), "reported", 1_510],
    ["what was reserved, if it is gone", workshop(), "estimated", 1_551],
  ])("is settled by %s", async (_, behaviour, provenance, tokens) => {
    const scene = await startTokenScene({}, { behaviour });
    expect(await admitted(scene, { tokens_per_day: 2_000 }, 1_500, 1)).toBe(1);
    const label = "the row is written";
    await until(() => scene.rows().length > 0, { label, timeoutMs: SETTLED_MS });
    const [row] = scene.rows();
    expect(row).toMatchObject({ provenance, upstream_id: "resp_bg", outcome: "completed" });
    expect(Math.abs((row?.total_tokens ?? 0) - tokens)).toBeLessThan(20);
    expect(row?.cost).toBeGreaterThan(0);
    const asked = scene.upstream.requests.filter(({ method }) => method === "GET");
    expect(asked[0]).toMatchObject({
      path: "/v1/responses/resp_bg",
      headers: { authorization: `Bearer ${OPERATOR_KEY}` },
    });
  });

  test("whose stream the client left is settled later, too", async () => {
    const scene = await startTokenScene({}, { behaviour: workshop("completed") });
    const url = `${scene.parley.origin}/v1/responses`;
    const streamed = { ...body(1_500), stream: true };
    const stream = await openStream(url, streamed, { headers: bearer(scene.token) });
    for await (const event of stream.events) {
      expect(event).toContain("response.created");
      stream.hangUp();
    }
    const label = "the row is written";
    await until(() => scene.rows().length > 0, { label, timeoutMs: SETTLED_MS });
    expect(scene.rows()).toMatchObject([{ outcome: "canceled", total_tokens: 1_510 }]);
  });

  test.each([
    ["whole", {}],
    ["streamed", { stream: true }],
  ])("that was left before its id came costs all that was reserved, %s", async (_, more) => {
    const scene = await startTokenScene({}, { behaviour: silent });
    const leave = new AbortController();
    const asked = postJson(
      `${scene.parley.origin}/v1/responses`,
      { ...body(1_500), ...more },
      { headers: bearer(scene.token), signal: leave.signal },
    );
    const label = "the request arrived";
    await scene.upstream.waitFor(() => scene.upstream.open() > 0, { label, timeoutMs: 5_000 });
    leave.abort();
    await asked.catch(() => undefined);
    await until(() => scene.rows().length > 0, { label: "the row", timeoutMs: SETTLED_MS });
    expect(scene.rows()).toMatchObject([{ outcome: "canceled", provenance: "estimated" }]);
    expect(scene.rows()[0]?.total_tokens).toBeGreaterThan(1_500);
  });

  test("of a service that gives no status is asked for", async () => {
    const { status: _status, ...queued } = answerOf("queued");
    const behaviour: Choose = ({ method }) =>
      tell(method === "POST" ? queued : answerOf("completed"));
    const scene = await startTokenScene({}, { behaviour });
    expect(await admitted(scene, { tokens_per_day: 2_000 }, 1_500, 2)).toBe(1);
    await until(() => scene.rows().length > 0, { label: "the row", timeoutMs: SETTLED_MS });
    expect(scene.rows()).toMatchObject([{ provenance: "reported", total_tokens: 1_510 }]);
  });

  test("of a caller's own key is estimated at once, and never asked for", async () => {
    const scene = await startTokenScene({}, { behaviour: workshop("completed") });
    const url = `${scene.parley.origin}/v1/responses`;
    await postJson(url, body(1_500), { headers: bearer(OWN_KEY) });
    expect(scene.rows()).toMatchObject([{ provenance: "estimated", payer_kind: "own-key" }]);
    expect(scene.rows()[0]?.total_tokens).toBeGreaterThan(1_500);
    expect(scene.upstream.requests).toHaveLength(1);
  });
});

test("a background answer outlives the process that asked for it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-background-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = await startAlone({ behaviour: workshop("completed") });
  const env = { ...ADMIN_ENV, OPENAI_URL: upstream.url, API_KEY: OPERATOR_KEY, DATA_DIR: folder };
  const first = await startProcess(env);
  await setPrice(first.url, MODEL);
  const { token } = await issue(first.url, { tokens_per_day: 2_000 });
  const headers = bearer(token);
  const ask = (url: string) => postJson(`${url}/v1/responses`, body(1_500), { headers });
  expect((await ask(first.url)).status).toBe(200);
  first.signal("SIGKILL");
  await first.exit;
  const second = await startProcess(env);
  onTestFinished(() => second.close());
  expect((await ask(second.url)).status).toBe(429);
  const label = "the row is written";
  await until(() => rowsIn(folder).length > 0, { label, timeoutMs: SETTLED_MS });
  expect(rowsIn(folder)).toMatchObject([{ provenance: "reported", total_tokens: 1_510 }]);
});
