import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { failure } from "../support/envelope.ts";
import { deadline, postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import type { ParleyProcess } from "../support/process.ts";
import { neighborCall } from "../support/timing.ts";
import type { ScriptedUpstream } from "../support/upstream.ts";
import { createKeptConnection, type KeptConnection, type RawReply } from "./keep-alive.ts";

/** `npm run test:deep` sends ten times as many. */
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 10_000);
const BATCH = 1_000;
const AT_A_TIME = 32;
/** Until then the process grows to its working size. */
const WARM_UP = 5_000;
/** The slowest of a batch are sent again, alone: none may take as long as so many other calls. */
const SLOWEST = 3;
const MAX_NEIGHBOR_CALLS = 200;
/** What a request may wait because other suites have the machine, not because it hangs. */
const STALL_MS = 4_000;
const RSS_GROWTH_BYTES = 50 * 1_048_576;
const TEST_MS = 90_000 + 9 * REQUESTS;
/** Another in every run; the one that is printed, put here, repeats a run. */
const SEED = Date.now() % 2 ** 31;

let upstream: ScriptedUpstream;
let parley: ParleyProcess;
beforeAll(async () => {
  const env = {
    ROUTE: "api",
    MAX_BODY_BYTES: "65536",
    ALLOWED_MODELS: "gpt-4o-mini, gpt-4o",
  };
  ({ upstream, parley } = await startPair(env, { withCollector: true }));
}, TEST_MS);

interface FuzzedRequest {
  readonly method: string;
  readonly target: Uint8Array;
  readonly headers: readonly (readonly [string, Uint8Array])[];
  readonly body: Uint8Array;
}

const utf8 = (text: string) => Buffer.from(text, "utf8");
const bytesOf = (text: fc.Arbitrary<string>) => text.map(utf8);

// Bodies

const FIELDS = [
  ...["user_content", "sys_content", "system_content", "model", "api_key", "max_tokens"],
  ...["continuous", "continuous_dialogue", "stream"],
];
const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    "",
    " ",
    "\0",
    "\u2028",
    "\ufeff",
    "\ud800",
    "a\udfff",
    "constructor",
    "__proto__",
  ),
  fc.constantFrom(
    "toString",
    "sk-bad-one",
    "sk-limited",
    "sk-broke",
    "gpt-4o",
    "{{reason}}",
    "$t(failed)",
  ),
  fc.nat(3_000).map((length) => "長".repeat(length)),
);
const oddNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, -1, 1, 3_500, 3_501, 2 ** 31, 2 ** 53, 2 ** 63, 1e308, 0.1),
);
const oddValue = fc.oneof(
  oddText,
  oddNumber,
  fc.boolean(),
  fc.constant(null),
  fc.array(oddText, { maxLength: 4 }),
  fc.jsonValue({ maxDepth: 4 }),
);
const turn = fc.record(
  {
    role: fc.oneof(fc.constantFrom("system", "user", "assistant", "tool", "__proto__"), oddValue),
    content: fc.oneof(oddText, oddValue),
  },
  { requiredKeys: [] },
);
const rightBody = fc.record(
  {
    user_content: fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
    sys_content: oddText,
    model: fc.constantFrom("gpt-4o", "gpt-4o-mini"),
    max_tokens: fc.integer({ min: 1, max: 3_500 }),
    continuous: fc.array(
      fc.record({ role: fc.constantFrom("user", "assistant"), content: oddText }),
      { maxLength: 5 },
    ),
    stream: fc.boolean(),
  },
  { requiredKeys: ["user_content"] },
);
const wrongBody = fc
  .tuple(
    rightBody,
    fc.dictionary(
      fc.oneof(
        fc.constantFrom(...FIELDS),
        fc.constantFrom("__proto__", "constructor", "role"),
        oddText,
      ),
      fc.oneof(oddValue, fc.array(turn, { maxLength: 4 })),
      { maxKeys: 4 },
    ),
  )
  .map(([right, wrong]) => ({ ...right, ...wrong }));

/** JSON text that JSON.stringify would not write. */
const oddJson = fc.constantFrom(
  '{"user_content":"a","max_tokens":1e400}',
  '{"user_content":"a","max_tokens":-1e400}',
  '{"user_content":"a","max_tokens":1e2}',
  `{"user_content":"a","max_tokens":${"9".repeat(400)}}`,
  '{"user_content":"a","user_content":1}',
  '{"__proto__":{"polluted":1},"user_content":"a"}',
  '{"constructor":{"prototype":{"polluted":1}},"user_content":"a"}',
  '{"user_content":"a","continuous":[{"__proto__":{"role":"user","content":"a"}}]}',
  '{"user_content":"\\ud800","sys_content":"\\udc00\\ud800"}',
  '{"user_content":"\\u0000"}',
  "{'user_content':'a'}",
  '{"user_content":"a",}',
  '{"user_content":NaN}',
  "/**/{}",
  "null",
  '""',
  "[]",
  "0",
  "",
  " ",
  '{"user_content":"a"} {}',
);
const deepJson = fc
  .tuple(
    fc.constantFrom("[", '{"a":', '{"continuous":['),
    fc.constantFrom(60, 64, 65, 3_000, 9_000),
  )
  .map(([opening, depth]) => opening.repeat(depth));
const jsonText = fc.oneof(
  { arbitrary: rightBody.map((one) => JSON.stringify(one)), weight: 3 },
  { arbitrary: wrongBody.map((one) => JSON.stringify(one)), weight: 8 },
  { arbitrary: oddJson, weight: 2 },
  { arbitrary: deepJson, weight: 1 },
  { arbitrary: fc.json({ maxDepth: 6 }), weight: 2 },
);
/** Bytes changed, taken out or put in anywhere. */
const brokenBytes = fc
  .tuple(
    bytesOf(jsonText),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  )
  .map(([bytes, changes]) => {
    const changed = Buffer.from(bytes);
    for (const [at, value] of changes) if (changed.length > 0) changed[at % changed.length] = value;
    return changes.length % 2 === 0 ? changed : changed.subarray(0, changed.length - 1);
  });
const otherEncoding = fc
  .tuple(jsonText, fc.constantFrom("utf16le", "latin1", "bom", "bom16"))
  .map(([text, kind]) => {
    if (kind === "bom") return utf8(`\ufeff${text}`);
    if (kind === "bom16") return Buffer.from(`\ufeff${text}`, "utf16le");
    return Buffer.from(text, kind === "latin1" ? "latin1" : "utf16le");
  });
const body: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: bytesOf(jsonText), weight: 10 },
  { arbitrary: brokenBytes, weight: 4 },
  { arbitrary: otherEncoding, weight: 2 },
  { arbitrary: fc.uint8Array({ maxLength: 200 }), weight: 2 },
  { arbitrary: fc.constant(Buffer.alloc(70_000, 32)), weight: 1 },
);

// Targets

/** What a request line can hold: no blank, no control character. */
const visible = fc
  .array(
    fc.integer({ min: 0x21, max: 0xff }).filter((byte) => byte !== 0x7f),
    { maxLength: 60 },
  )
  .map((codes) => Buffer.from(codes));
const oddPath = fc.oneof(
  bytesOf(
    fc
      .array(
        fc.constantFrom(
          "/",
          "api",
          "..",
          ".",
          "//",
          "%00",
          "%2e",
          "%2f",
          "%",
          "%zz",
          "?",
          "#",
          "\\",
          "é",
        ),
        { maxLength: 12 },
      )
      .map((parts) => `/${parts.join("")}`),
  ),
  visible.map((bytes) => Buffer.concat([utf8("/"), bytes])),
  visible,
  bytesOf(fc.webUrl({ withQueryParameters: true })),
  bytesOf(
    fc.constantFrom("*", "http://[", "http://a:99999/", "//a/b", "/healthz/..", "/readyz?x=%ff"),
  ),
  bytesOf(fc.integer({ min: 100, max: 12_000 }).map((length) => `/${"a".repeat(length)}`)),
);
const target = fc.oneof(
  { arbitrary: fc.constant(utf8("/api")), weight: 8 },
  {
    arbitrary: bytesOf(fc.constantFrom("/api/", "/api?x=1", "/", "/healthz", "/whoami")),
    weight: 2,
  },
  { arbitrary: oddPath, weight: 4 },
);

// Headers

const latin = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), {
    maxLength: 40,
  })
  .map((codes) => Buffer.from(codes));
const named = (names: readonly string[], values: fc.Arbitrary<Uint8Array>) =>
  fc.tuple(fc.constantFrom(...names), values);
const oddHeader = fc.oneof(
  named(["authorization", "api-key", "openai-token", "cookie", "accept", "user-agent"], latin),
  named(
    ["authorization"],
    latin.map((bytes) => Buffer.concat([utf8("Bearer "), bytes])),
  ),
  named(
    ["authorization"],
    bytesOf(fc.constantFrom("Bearer", "Basic a:b", "bearer sk-bad", "Bearer sk-a b")),
  ),
  named(
    ["accept-language"],
    fc.oneof(latin, bytesOf(fc.constantFrom("ru,*;q=0", "zh-Hant;q=9", ";;q=,,"))),
  ),
  named(["x-forwarded-for", "forwarded", "x-real-ip", "via", "origin", "referer"], latin),
  named(["x-http-method-override", "upgrade-insecure-requests", "x-request-id"], latin),
  named(
    ["x-long"],
    fc.integer({ min: 1, max: 9_000 }).map((length) => Buffer.alloc(length, 0xe9)),
  ),
  named(
    ["range", "if-match", "if-modified-since", "te", "expect"],
    bytesOf(fc.constantFrom("bytes=0-", "*", "0", "")),
  ),
);
const contentType = fc.oneof(
  { arbitrary: fc.constant(utf8("application/json")), weight: 24 },
  {
    arbitrary: bytesOf(
      fc.constantFrom(
        ...["application/json; charset=utf-8", "application/json;charset=UTF-16", "text/plain", ""],
        ...[
          "application/x-www-form-urlencoded",
          "multipart/form-data; boundary=x",
          "application/ld+json",
        ],
        ...['APPLICATION/JSON ; charset="utf8"', "application/json;;;", "json", "*/*"],
      ),
    ),
    weight: 2,
  },
  { arbitrary: latin, weight: 1 },
);
const encoding = fc.constantFrom("identity", "gzip", "br", "deflate, gzip", "IDENTITY", "x", "");

const request: fc.Arbitrary<FuzzedRequest> = fc
  .record({
    method: fc.oneof(
      { arbitrary: fc.constant("POST"), weight: 12 },
      {
        arbitrary: fc.constantFrom("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"),
        weight: 2,
      },
      { arbitrary: fc.constantFrom("PROPFIND", "QUERY", "PURGE", "M-SEARCH", "LINK"), weight: 1 },
    ),
    target,
    type: contentType,
    encoding: fc.oneof(
      { arbitrary: fc.constant(null), weight: 12 },
      { arbitrary: encoding, weight: 1 },
    ),
    odd: fc.oneof(
      { arbitrary: fc.constant([]), weight: 3 },
      { arbitrary: fc.array(oddHeader, { maxLength: 6 }), weight: 2 },
    ),
    body,
  })
  .map(({ type, encoding: packed, odd, ...rest }) => ({
    ...rest,
    headers: [
      ["content-type", type] as const,
      ...(packed === null ? [] : [["content-encoding", utf8(packed)] as const]),
      ...odd,
    ],
  }));

/** One whole request on the wire. */
function toBytes({ method, target: where, headers, body: content }: FuzzedRequest): Buffer {
  const line = utf8("\r\n");
  return Buffer.concat([
    utf8(`${method} `),
    where,
    utf8(` HTTP/1.1\r\nhost: parley.test\r\ncontent-length: ${content.length}\r\n`),
    ...headers.flatMap(([name, value]) => [utf8(`${name}: `), value, line]),
    line,
    content,
  ]);
}

const chatsFailure = z.looseObject({ error: z.string().min(1), code: z.string().min(1) });

/** What is wrong with an answer, or null. */
function faultOf({ method, target }: FuzzedRequest, reply: RawReply | null): string | null {
  if (reply === null) return "no answer";
  const { status, headers } = reply;
  if (status >= 500 || Number.isNaN(status)) return `status ${status}`;
  if (!headers.has("x-request-id")) return `${status} without x-request-id`;
  if (status === 204) return method === "OPTIONS" ? null : "204";
  if (method === "HEAD") return null;
  const inOpenAiForm = /^\/v1(?![\w-])/.test(Buffer.from(target).toString("latin1"));
  return inOpenAiForm ? null : faultOfBody(method, reply);
}

/** A stream that ends, metrics, a greeting, or JSON: an envelope where it is a refusal. */
function faultOfBody(method: string, { status, headers, body: got }: RawReply): string | null {
  const type = headers.get("content-type") ?? "";
  const text = got.toString("utf8");
  if (type.startsWith("text/event-stream")) {
    return /\n\ndata: \[DONE\]\n\n$/.test(text) ? null : `a stream without its end: ${text}`;
  }
  if (status === 200 && /^text\/(plain|html)/.test(type)) return null;
  try {
    const json: unknown = JSON.parse(text);
    if (status === 200) return null;
    // a single segment may be a chat, which is deleted by its name
    if (method === "DELETE" && chatsFailure.safeParse(json).success) return null;
    const envelope = failure.safeParse(json);
    if (!envelope.success) return `${status} is not an envelope: ${text}`;
    return envelope.data.code === status ? null : `${status} says ${envelope.data.code}`;
  } catch {
    return `${status} is not JSON: ${text.slice(0, 200)}`;
  }
}

interface Tally {
  readonly statuses: Map<number, number>;
  readonly faults: string[];
  slowestMs: number;
}

async function sendAll(requests: readonly FuzzedRequest[], tally: Tally): Promise<void> {
  const rest = requests.values();
  const sentOnes: { readonly sent: FuzzedRequest; readonly tookMs: number }[] = [];
  const worker = async () => {
    const connection = createKeptConnection(parley.port);
    for (const sent of rest) {
      sentOnes.push({ sent, tookMs: await sendOne(connection, sent, tally) });
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));

  // on a machine with other work everything is late at times: what hangs does so again, alone
  const connection = createKeptConnection(parley.port);
  const slowest = sentOnes.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, SLOWEST);
  for (const { sent } of slowest) {
    const neighborMs = await neighborCall(parley.url);
    const tookMs = await sendOne(connection, sent, tally);
    if (tookMs > MAX_NEIGHBOR_CALLS * neighborMs) {
      tally.faults.push(`${tookMs} ms, another call ${neighborMs} ms\n${textOf(sent)}`);
    }
  }
  connection.close();
}

async function sendOne(
  connection: KeptConnection,
  sent: FuzzedRequest,
  tally: Tally,
): Promise<number> {
  const startedMs = performance.now();
  const answered = connection.send(toBytes(sent), sent.method === "HEAD");
  const reply = await deadline(answered, STALL_MS, "an answer").catch(() => null);
  const tookMs = performance.now() - startedMs;
  const status = reply?.status ?? 0;
  const fault = faultOf(sent, reply);
  tally.slowestMs = Math.max(tally.slowestMs, tookMs);
  tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
  if (fault !== null) tally.faults.push(`${fault}\n${textOf(sent)}`);
  return tookMs;
}

const textOf = (sent: FuzzedRequest) => toBytes(sent).toString("latin1").slice(0, 1_000);

test(
  `${REQUESTS} mutated requests are each answered by an envelope, none by a 5xx`,
  async () => {
    process.stdout.write(`fuzz: seed ${SEED}\n`);
    const prototype = Object.getOwnPropertyNames(Object.prototype).length;
    const tally: Tally = { statuses: new Map(), faults: [], slowestMs: 0 };
    let before = 0;
    let liveBefore = 0;
    const startedMs = performance.now();
    for (let done = 0; done < REQUESTS; done += BATCH) {
      if (done === WARM_UP) {
        liveBefore = await parley.liveBytes();
        before = parley.residentBytes();
      }
      await sendAll(fc.sample(request, { numRuns: BATCH, seed: SEED + done }), tally);
      if (tally.faults.length > 20) break;
    }
    const grown = parley.residentBytes() - before;
    const live = (await parley.liveBytes()) - liveBefore;
    const seconds = (performance.now() - startedMs) / 1_000;
    const counts = [...tally.statuses].sort(([a], [b]) => a - b).map((pair) => pair.join(" x "));
    process.stdout.write(
      `fuzz: ${REQUESTS} in ${seconds.toFixed(1)} s, slowest ${tally.slowestMs.toFixed(0)} ms, ` +
        `RSS +${(grown / 1_048_576).toFixed(1)} MB, in use +${(live / 1_048_576).toFixed(1)} MB after the first ${WARM_UP}; ${counts.join(", ")}\n`,
    );
    expect(tally.faults.slice(0, 5)).toEqual([]);
    expect(grown).toBeLessThan(RSS_GROWTH_BYTES);
    expect(live).toBeLessThan(RSS_GROWTH_BYTES / 5);
    // the mutations reach deep: every gate has said no, and many were let through
    for (const status of [200, 400, 401, 403, 404, 405, 413, 415, 431]) {
      expect(tally.statuses.get(status) ?? 0, `answers ${status}`).toBeGreaterThan(0);
    }
    const errors = parley.output.filter((line) =>
      /unexpected error|unhandledRejection|uncaughtException|"level":[56]0/.test(line),
    );
    expect(errors).toEqual([]);
    expect(parley.stderr().replaceAll(/^collected .*\n/gm, "")).toBe("");
    const foreign = upstream.requests.filter(({ path }) => path !== "/v1/chat/completions");
    expect(foreign).toEqual([]);
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(prototype);
  },
  TEST_MS,
);

test("nothing of what was sent has stuck to the prototype of all objects", async () => {
  // a polluted prototype would supply fields that these do not bring
  const missing = await postJson(`${parley.url}/api`, {});
  expect(missing.json).toMatchObject({ code: 400, data: { error: "field_missing" } });
  const { json } = await postJson(`${parley.url}/api`, { user_content: "hello" });
  expect(json).toMatchObject({ code: 200, data: { response: "echo: hello" } });
  expect(upstream.requests.at(-1)?.json).toEqual({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "hello" }],
    max_tokens: 100,
  });
  expect(await parley.metric("parley_open_calls")).toBe(0);
});
