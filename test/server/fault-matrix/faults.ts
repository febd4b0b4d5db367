/** What the upstream does, and how a call ends by it: the one table of the matrix. */
import * as faults from "../../support/faults.ts";
import { says } from "../../support/refusals.ts";
import { answer, type Behaviour, composeAnswer, wantsStream } from "../../support/upstream.ts";
import type { away } from "./away.ts";
import { operatorKeys, spill, spillIn200, spilling, spillingHeaders } from "./secrets.ts";
import type { Kind } from "./surface.ts";

/**
 * `answer`, and what it says if that is not the echo; a code; or after a part of the answer `then` and
 * a code, or `cut` and a code where the connection is all that can tell.
 */
export type End = string;

/** One for all, or by the kind of the surface; bytes end like what is read, unless given. */
export type Ends = End | ({ readonly whole: End } & Partial<Readonly<Record<Kind, End>>>);

export interface Fault {
  readonly does: Behaviour;
  readonly ends: Ends;
  /** What its answer would say in full, if that is not the echo. */
  readonly says?: string;
  /** Where the service is looked for in vain. */
  readonly away?: keyof typeof away;
  /** Other surfaces say nothing about it. */
  readonly only?: Kind;
  /** The status of the upstream's own refusal: such a call is free. */
  readonly refused?: number;
  /** Each key that says so rests; the next is asked at once. */
  readonly rests?: true;
  /** Worth another try with the same key. */
  readonly passes?: true;
  /** The connection had served and ends without a byte: sent once more on a new one. */
  readonly resent?: true;
  /** Nothing says its words: it has none. */
  readonly wordless?: true;
  /** The answer does not say what it took. */
  readonly unsaid?: true;
  /** A good answer passes on /v1 byte for byte, whatever is in it. */
  readonly bytesMayTell?: true;
  /** Which deadline ends the wait. */
  readonly waitMs?: number;
  /** Seconds, as the caller is told. */
  readonly retryAfter?: number;
}

type More = Omit<Fault, "does" | "ends">;
const fault = (does: Behaviour, ends: Ends, more: More = {}): Fault => ({ does, ends, ...more });

const refusal = (status: number, ends: End, more: More = {}, options = {}): Fault =>
  fault(spill(status, options), ends, { refused: status, ...more });
const ofRequest = (status: number) => refusal(status, "upstream_refused");
const ofUpstream = (status: number) => refusal(status, "upstream_failed", { passes: true });
const limited = (headers: Record<string, string>, retryAfter: number) =>
  refusal(429, "upstream_rate_limited", { rests: true, retryAfter }, { headers });

const refusals: readonly Fault[] = [
  ...[400, 403, 404, 409, 413, 422, 424, 451].map(ofRequest),
  ...[500, 502, 503, 504, 529].map(ofUpstream),
  refusal(401, "key_rejected", { rests: true }, { code: "invalid_api_key" }),
  refusal(402, "key_exhausted", { rests: true, retryAfter: 600 }),
  refusal(408, "upstream_timeout"),
  refusal(429, "key_exhausted", { rests: true, retryAfter: 600 }, { code: "insufficient_quota" }),
  limited({}, 10),
  limited({ "retry-after": "7" }, 7),
  limited({ "retry-after-ms": "250" }, 1),
  limited({ "retry-after": "86400" }, 86_400),
  limited({ "retry-after": "soon" }, 10),
  fault(faults.refuseHtml(502), "upstream_failed", { refused: 502, passes: true }),
  fault(faults.refuseHtml(413), "upstream_refused", { refused: 413, wordless: true }),
  fault(says(400, ""), "upstream_refused", { refused: 400, wordless: true }),
  ...([301, 302, 307, 308] as const).map((status) =>
    fault(faults.redirect(status, "http://127.0.0.1:9/"), "upstream_failed", { refused: status }),
  ),
];

const unreachable = (where: keyof typeof away, more: More = {}) =>
  fault({ ...faults.silent, name: where }, "upstream_unreachable", {
    away: where,
    passes: true,
    ...more,
  });

const DEADLINE_MS = 1_000;
const silence = (does: Behaviour, ends: Ends) => fault(does, ends, { waitMs: DEADLINE_MS });
const code = "upstream_timeout";

/** The only ones that wait for a deadline. */
const silences: readonly Fault[] = [
  silence(faults.silent, code),
  silence(faults.stallAfterHeaders, code),
  silence(faults.stallMidStream, streaming(code, code)),
];

const absences: readonly Fault[] = [
  unreachable("connection refused"),
  unreachable("an unknown name"),
  unreachable("no TLS"),
  unreachable("a certificate of its own"),
  unreachable("no greeting", { waitMs: DEADLINE_MS }),
];

/** What breaks off, and where it does so after a part of a stream has passed. */
function streaming(whole: End, then: End) {
  return { whole, typed: `then ${then}`, relayed: `then ${then}` };
}

const breaks: readonly Fault[] = [
  fault(faults.resetBeforeHeaders, "upstream_unreachable", { passes: true, resent: true }),
  fault(faults.resetMidBody, streaming("upstream_failed", "upstream_failed")),
  fault(faults.resetMidStream, streaming("upstream_failed", "upstream_failed")),
  fault(faults.closeMidStream, streaming("upstream_failed", "upstream_failed")),
  fault(faults.finMidStream, streaming("upstream_bad_answer", "upstream_failed")),
  fault(faults.cutInsideEvent, {
    whole: "upstream_bad_answer",
    typed: "then upstream_bad_answer",
    relayed: "then upstream_failed",
  }),
  fault(faults.closeIdleSocket, "answer"),
  fault(faults.wrongContentLength(10), {
    whole: "upstream_failed",
    typed: "answer",
    relayed: "answer",
  }),
  fault(faults.wrongContentLength(-10), "upstream_bad_answer", { only: "whole" }),
  fault(faults.illegalHeaders, "upstream_bad_answer"),
  fault(faults.bigHeaders(100_000), "upstream_bad_answer"),
];

/** In place of the first event, or after a half of them. */
const errorEvent = (when: "first" | "later", code: number | null = null): Behaviour => ({
  name: `error event as the ${when} one, ${code ?? "without a code"}`,
  run: async ({ request, response, write }) => {
    const { json, events } = composeAnswer(request);
    const isStream = wantsStream(request);
    response.writeHead(
      200,
      spillingHeaders(request, isStream ? "text/event-stream" : "application/json"),
    );
    const before = when === "first" ? [] : events.slice(0, Math.floor(events.length / 2));
    for (const event of isStream ? before : [JSON.stringify(json)]) await write(event);
    const event = `data: ${JSON.stringify(spilling("server_error", code))}\n\n`;
    response.end(isStream ? event : "");
  },
});

/** As if the stream had been refused with that status. */
const first = (code: number | null, end: End, more: More) =>
  fault(errorEvent("first", code), { whole: "answer", typed: end, relayed: end }, more);

/** A good answer with the key it was asked with as its model, another as its id, and one beside its events. */
const spillingAnswer: Behaviour = {
  name: "an answer made of secrets",
  run: async ({ request, response, write }) => {
    const { json, events } = composeAnswer(request);
    const key = String(request.headers.authorization).replace("Bearer ", "");
    const spill = (part: string) =>
      part
        .replaceAll(/"(?:chatcmpl|resp)[-_]\d+"/g, `"${operatorKeys[0]}"`)
        .replaceAll(/"gpt-[^"]*"/g, `"${key}"`);
    const isStream = wantsStream(request);
    const type = isStream ? "text/event-stream" : "application/json";
    response.writeHead(200, spillingHeaders(request, type));
    if (!isStream) await write(spill(JSON.stringify(json)));
    for (const event of isStream ? events : []) await write(`: ${key}\n\n${spill(event)}`);
    response.end();
  },
};

const lies: readonly Fault[] = [
  // what a service has beside its answer passes on /v1, byte for byte
  fault(faults.badJsonEvent, {
    ...streaming("answer", "upstream_bad_answer"),
    "stream of bytes": "answer",
  }),
  fault(faults.invalidJson200, "upstream_bad_answer"),
  fault(faults.html200, "upstream_bad_answer"),
  fault(faults.empty200, "upstream_bad_answer"),
  fault(faults.status204, "upstream_bad_answer"),
  fault(faults.gzipped, "upstream_bad_answer"),
  fault(faults.gzipLie, "upstream_bad_answer"),
  fault(faults.sseWhereJsonAsked, {
    whole: "upstream_bad_answer",
    typed: "answer",
    relayed: "answer",
  }),
  fault(faults.jsonWhereSseAsked, "answer"),
  fault(
    { ...says(200, { object: "list", data: [] }), name: "JSON of another kind" },
    {
      whole: "upstream_bad_answer",
      bytes: 'answer ""',
      "stream of bytes": 'answer ""',
    },
    { unsaid: true },
  ),
  fault(spillIn200(null), "upstream_failed", { refused: 502, passes: true }),
  fault(spillIn200(400), "upstream_refused", { refused: 400 }),
  fault(spillIn200(401), "key_rejected", { refused: 401, rests: true }),
  fault(spillIn200(429), "upstream_rate_limited", { refused: 429, rests: true, retryAfter: 10 }),
  fault(errorEvent("later"), {
    ...streaming("answer", "upstream_failed"),
    "stream of bytes": "then its words",
    translated: "then its words",
  }),
  first(null, "upstream_failed", { refused: 502, passes: true }),
  first(400, "upstream_refused", { refused: 400 }),
  first(401, "key_rejected", { refused: 401, rests: true }),
  first(429, "upstream_rate_limited", { refused: 429, rests: true, retryAfter: 10 }),
  fault(spillingAnswer, "answer", { bytesMayTell: true }),
  fault(faults.usageMissing, "answer", { unsaid: true }),
  fault(faults.usageNegative, "answer", { unsaid: true }),
  fault(faults.usageHuge, "answer", { unsaid: true }),
];

/** Unusual, but right. */
const oddities: readonly Fault[] = [
  fault(faults.crlfStream, "answer"),
  fault(faults.commentsInStream, "answer"),
  fault(faults.http10, "answer"),
  fault(faults.bigHeaders(), "answer"),
  fault(faults.duplicateHeaders, "answer"),
  fault(faults.slow(50), "answer"),
  fault(faults.paced(5), "answer"),
  fault(answer, "answer"),
];

export const allFaults: readonly Fault[] = [
  ...silences,
  ...absences,
  ...refusals,
  ...breaks,
  ...lies,
  ...oddities,
];
