import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { AnswerEvent } from "../../src/core/call/messages.ts";
import * as faults from "../support/faults.ts";
import { deadline } from "../support/http.ts";
import { answer, type Behaviour, startUpstream } from "../support/upstream.ts";
import {
  allOf,
  createAsking,
  type Ending,
  echoed,
  endOfComplete,
  endOfStream,
  key,
  shortMs,
  shownOf,
} from "./asking.ts";

/** How late an answer may be: a tick of the deadlines, and a machine that has other work too. */
const graceMs = 500;
const sizeBytes = 3_000_000;
const maxAnswerBytes = 1_000_000;

/** Deadlines move with the last tick, not with the clock: they may be that much early. */
const earlyMs = 110;

const tooSlow = faults.slow(60_000);
const tooSlowToSpeak = faults.firstTokenAfter(60_000);
const dripping = faults.drip(20);
/** Which deadline ends the wait. */
const waitsMs: ReadonlyMap<Behaviour, number> = new Map([
  [faults.silent, shortMs.head],
  [tooSlow, shortMs.head],
  [tooSlowToSpeak, shortMs.head],
  [faults.stallAfterHeaders, shortMs.head],
  [faults.stallMidStream, shortMs.idle],
  [dripping, shortMs.total],
]);

/** How much later than asked for a timer fires here and now: that is the machine's own doing. */
async function lateness(ms: number): Promise<number> {
  const startedMs = performance.now();
  await wait(ms);
  return performance.now() - startedMs - ms;
}

/** A good answer; with short deadlines a busy machine may need another try. */
async function eventually(ask: () => Promise<Ending>): Promise<Ending> {
  let ending = await ask();
  for (let tries = 1; tries < 5 && ending.error?.code === "upstream_timeout"; tries += 1) {
    ending = await ask();
  }
  return ending;
}

/** A refusal has one code, however it was asked. */
const refused = (code: string): [string, string] => [code, `${code} at once`];
const fine: [string, string] = ["answer", "answer"];

// What a question ends with, asked whole and as a stream. "At once" is an HTTP status for the
// client, "while read" an event in its stream.
const table: readonly (readonly [Behaviour, string, string])[] = [
  [answer, ...fine],

  [faults.refuse(400), ...refused("upstream_refused")],
  [faults.refuse(401), ...refused("key_rejected")],
  [faults.refuse(402), ...refused("key_exhausted")],
  [faults.refuse(403), ...refused("upstream_refused")],
  [faults.refuse(404), ...refused("upstream_refused")],
  [faults.refuse(408), ...refused("upstream_timeout")],
  [faults.refuse(409), ...refused("upstream_refused")],
  [faults.refuse(413), ...refused("upstream_refused")],
  [faults.refuse(422), ...refused("upstream_refused")],
  [faults.refuse(429), ...refused("upstream_rate_limited")],
  [faults.refuse(429, { code: "insufficient_quota" }), ...refused("key_exhausted")],
  [faults.refuse(500), ...refused("upstream_failed")],
  [faults.refuse(502), ...refused("upstream_failed")],
  [faults.refuse(503), ...refused("upstream_failed")],
  [faults.refuse(504), ...refused("upstream_failed")],
  [faults.refuse(529), ...refused("upstream_failed")],
  [faults.refuseHtml(400), ...refused("upstream_refused")],
  [faults.refuseHtml(502), ...refused("upstream_failed")],
  [faults.rateLimited("seconds"), ...refused("upstream_rate_limited")],
  [faults.rateLimited("date"), ...refused("upstream_rate_limited")],
  [faults.rateLimited("milliseconds"), ...refused("upstream_rate_limited")],
  [faults.rateLimited("day"), ...refused("upstream_rate_limited")],
  [faults.rateLimited("garbage"), ...refused("upstream_rate_limited")],
  [faults.redirect(301, "http://127.0.0.1:9/"), ...refused("upstream_failed")],
  [faults.redirect(302, "http://127.0.0.1:9/"), ...refused("upstream_failed")],
  [faults.redirect(307, "http://127.0.0.1:9/"), ...refused("upstream_failed")],
  [faults.redirect(308, "http://127.0.0.1:9/"), ...refused("upstream_failed")],

  [faults.silent, ...refused("upstream_timeout")],
  [faults.slow(50), ...fine],
  [tooSlow, ...refused("upstream_timeout")],
  [faults.firstTokenAfter(50), ...fine],
  [tooSlowToSpeak, ...refused("upstream_timeout")],
  [faults.stallAfterHeaders, ...refused("upstream_timeout")],
  [faults.stallMidStream, "upstream_timeout", "upstream_timeout while read"],
  [dripping, ...refused("upstream_timeout")],
  [faults.paced(5), ...fine],

  [faults.resetBeforeHeaders, ...refused("upstream_unreachable")],
  [faults.resetMidBody, "upstream_failed", "upstream_failed while read"],
  [faults.resetMidStream, "upstream_failed", "upstream_failed while read"],
  [faults.closeMidStream, "upstream_failed", "upstream_failed while read"],
  [faults.finMidStream, "upstream_bad_answer", "upstream_failed while read"],
  [faults.cutInsideEvent, "upstream_bad_answer", "upstream_bad_answer while read"],
  [faults.closeIdleSocket, ...fine],

  [faults.badJsonEvent, "answer", "upstream_bad_answer while read"],
  [faults.invalidJson200, ...refused("upstream_bad_answer")],
  [faults.html200, ...refused("upstream_bad_answer")],
  [faults.empty200, ...refused("upstream_bad_answer")],
  [faults.status204, ...refused("upstream_bad_answer")],
  [faults.jsonWhereSseAsked, ...fine],
  [faults.errorJson200WhereSseAsked, ...refused("upstream_failed")],
  [faults.sseWhereJsonAsked, "upstream_bad_answer", "answer"],
  [faults.errorEventMidStream, "answer", "upstream_failed while read"],
  [faults.usageMissing, ...fine],
  [faults.usageNegative, ...fine],
  [faults.usageHuge, ...fine],

  [faults.crlfStream, ...fine],
  [faults.commentsInStream, ...fine],
  [faults.splitEveryByte, ...fine],
  [faults.http10, ...fine],
  [faults.bigHeaders(), ...fine],
  [faults.bigHeaders(100_000), ...refused("upstream_bad_answer")],
  [faults.duplicateHeaders, ...fine],
  [faults.illegalHeaders, ...refused("upstream_bad_answer")],
  [faults.wrongContentLength(10), "upstream_failed", "answer"],
  [faults.wrongContentLength(-10), "upstream_bad_answer", "answer"],
  [faults.gzipped, ...refused("upstream_bad_answer")],
  [faults.gzipLie, ...refused("upstream_bad_answer")],
  [faults.gzipBomb(sizeBytes), ...refused("upstream_bad_answer")],
  [faults.gzipBomb(sizeBytes, 2), ...refused("upstream_bad_answer")],
  [faults.hugeBody(sizeBytes), ...refused("upstream_bad_answer")],
  [faults.endlessLine(sizeBytes), ...refused("upstream_bad_answer")],
  [faults.endlessStream(sizeBytes), "upstream_bad_answer", "upstream_bad_answer while read"],
];

const asks = [
  ["complete", endOfComplete],
  ["stream", endOfStream],
] as const;
const cells = table.flatMap(([fault, complete, stream]) =>
  asks.map(([how, ask]) => ({ fault, how, ask, ends: how === "complete" ? complete : stream })),
);

describe("a fault of the upstream", () => {
  test.concurrent.each(cells)("$fault.name, $how: $ends", async ({ fault, ask, ends }) => {
    const upstream = await startUpstream({ behaviour: fault });
    const waitMs = waitsMs.get(fault);
    const deadlines = waitMs === undefined ? {} : shortMs;
    const asking = createAsking({ url: upstream.url, maxAnswerBytes, deadlines });
    const startedMs = performance.now();
    const late = lateness(waitMs ?? 0);
    const ending = await deadline(ask(asking), 10_000, fault.name);
    const tookMs = performance.now() - startedMs;
    if (waitMs !== undefined) {
      expect(tookMs).toBeGreaterThan(waitMs - earlyMs);
      expect(tookMs).toBeLessThan(waitMs + graceMs + (await late));
    }
    expect(ending.said).toBe(ends);
    if (ending.said === "answer") expect(ending.text).toBe(echoed);
    expectNothingShown(ending);

    const closed = { label: "no request is left open", timeoutMs: 1_000 };
    await upstream.waitFor(() => upstream.open() === 0, closed);
    upstream.behave(answer);
    for (const [, askAgain] of asks) {
      expect(await eventually(() => askAgain(asking))).toMatchObject({ text: echoed });
    }
    await asking.close();
    await upstream.close();
  });

  test("every fault there is stands in the table", () => {
    const told = new Set(table.map(([fault]) => fault.name.replace(/\d+/g, "0")));
    const made: readonly unknown[] = Object.values(faults);
    const behaviours = made.filter(
      (one): one is Behaviour => typeof one === "object" && one !== null && "run" in one,
    );
    expect(behaviours.length).toBeGreaterThan(20);
    for (const { name } of behaviours) expect(told).toContain(name.replace(/\d+/g, "0"));
  });
});

function expectNothingShown({ error }: Ending): void {
  if (error === null) return;
  // the upstream's reason for refusing a request is the one text that is passed on
  const isTold = error.code === "upstream_refused" || error.code === "key_exhausted";
  const isReason = isTold && "reason" in error.params;
  if (!isReason) expect(shownOf(error)).not.toContain(faults.canary);
  expect(allOf(error)).not.toContain(key);
  expect(shownOf(error)).not.toMatch(/org-scripted|<html/);
}

describe("after a passing fault", () => {
  const pause = [
    ["seconds", 7_000],
    ["milliseconds", 250],
    ["day", 86_400_000],
    ["garbage", 10_000],
  ] as const;
  test.concurrent.each(pause)("Retry-After as %s is told as %s ms", async (form, retryAfterMs) => {
    const upstream = await startUpstream({ behaviour: faults.rateLimited(form) });
    const asking = createAsking({ url: upstream.url });
    for (const [, ask] of asks) expect((await ask(asking)).error?.retryAfterMs).toBe(retryAfterMs);
    await asking.close();
    await upstream.close();
  });

  test("Retry-After as a date is told as the time until then, by the server's own clock", async () => {
    const upstream = await startUpstream({ behaviour: faults.rateLimited("date") });
    const asking = createAsking({ url: upstream.url });
    const { error } = await endOfComplete(asking);
    expect(error?.retryAfterMs).toBeGreaterThanOrEqual(6_000);
    expect(error?.retryAfterMs).toBeLessThanOrEqual(7_000);
    await asking.close();
    await upstream.close();
  });
});

describe("many faults, one transport", () => {
  test("good calls between 200 faults are all answered and nothing stays open", async () => {
    const bad = [
      faults.refuse(500),
      faults.resetBeforeHeaders,
      faults.resetMidStream,
      faults.html200,
      faults.closeMidStream,
      faults.closeIdleSocket,
      faults.badJsonEvent,
      faults.illegalHeaders,
    ];
    // the question says which: a call whose last word is a number meets that fault
    const upstream = await startUpstream();
    upstream.behave((request) => bad[faultOf(request.json)] ?? answer);
    const asking = createAsking({ url: upstream.url });
    const ask = async (content: string, how: "complete" | "stream"): Promise<string> => {
      const request = { model: "m", messages: [{ role: "user", content }] };
      if (how === "complete") return (await asking.complete(request)).text;
      return textOf(await asking.stream(request));
    };
    const calls = Array.from({ length: 200 }, async (_, i) => {
      const how = i % 2 === 0 ? "complete" : "stream";
      await ask(`fault ${Math.floor(i / 2) % bad.length}`, how).catch(() => undefined);
      // a connection that the fault before has ended may be met once: that is what retries are for
      const good = ask("good", how).catch(() => ask("good", how));
      await expect(good).resolves.toBe("echo: good");
    });
    await deadline(Promise.all(calls), 10_000, "all calls");
    await upstream.waitFor(() => upstream.open() === 0, { label: "all closed", timeoutMs: 1_500 });
    await asking.close();
    await upstream.close();
  });
});

function faultOf(json: unknown): number {
  const { messages } = json as { messages: readonly { content: string }[] };
  const said = /^fault (\d+)$/.exec(messages[0]?.content ?? "");
  return said === null ? -1 : Number(said[1]);
}

async function textOf(events: AsyncIterable<AnswerEvent>): Promise<string> {
  let text = "";
  for await (const event of events) if (event.type === "text-delta") text += event.text;
  return text;
}
