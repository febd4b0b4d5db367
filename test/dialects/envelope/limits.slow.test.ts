import { describe, expect, test } from "vitest";
import { createTranslate, htmlTag, languages } from "../../../src/locales.ts";
import { ask, askInVain, askStream } from "../../support/envelope.ts";
import { refuse, stallMidStream } from "../../support/faults.ts";
import { deadline, openStream, postJson, rawExchange } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { readRateLimits } from "../../support/rate-limit-headers.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { answer } from "../../support/upstream.ts";

const translate = createTranslate();
const question = { user_content: "hi" };

describe.concurrent("a call above a limit", () => {
  test.each(languages)("is told in %s which limit and when", async (language) => {
    const clock = createHeldClock();
    const { url, upstream } = await startScene({ HOUR_LIMIT: "9", MINUTE_LIMIT: "2" }, { clock });
    await ask(url, question);
    clock.forward(12_000);
    await ask(url, question);
    const headers = { "accept-language": htmlTag(language) };
    const refused = await askInVain(url, question, { headers });
    expect(refused).toMatchObject({
      code: 429,
      data: {
        error: "rate_limited",
        window: "minute",
        limit: 2,
        retry_after_seconds: 48,
        reset_at: new Date(clock.wallMs() + 48_000).toISOString(),
      },
    });
    const when = { limit: 2, window: "minute", wait_seconds: 48 };
    expect(refused.data.response).toBe(translate(language, "error.rate_limited", when));
    expect(refused.reply.headers).toMatchObject({
      "retry-after": "48",
      "retry-after-ms": "48000",
      "ratelimit-policy": '"minute";q=2;w=60, "hour";q=9;w=3600',
      ratelimit: '"minute";r=0;t=48, "hour";r=7;t=3588',
    });
    expect(refused.reply.headers["x-should-retry"]).toBeUndefined();
    expect(upstream.requests).toHaveLength(2);
    clock.forward(47_999);
    expect((await askInVain(url, question)).code).toBe(429);
    clock.forward(1);
    await ask(url, question);
  });

  test.each([
    ["SECOND_LIMIT", "second", 1, undefined],
    ["MINUTE_LIMIT", "minute", 60, undefined],
    ["HOUR_LIMIT", "hour", 3_600, "false"],
    ["DAY_LIMIT", "day", 86_400, "false"],
  ])("of %s names the %s and says whether waiting helps", async (name, window, seconds, retry) => {
    const { url } = await startScene({ [name]: "1" }, { clock: createHeldClock() });
    await ask(url, question);
    const { data, reply } = await askInVain(url, question);
    expect(data).toMatchObject({ window, limit: 1, retry_after_seconds: seconds });
    expect(reply.headers["retry-after"]).toBe(String(seconds));
    expect(reply.headers["x-should-retry"]).toBe(retry);
    const [read] = readRateLimits(reply.headers);
    expect(read).toEqual({
      name: window,
      quota: 1,
      windowSeconds: seconds,
      remaining: 0,
      resetSeconds: seconds,
    });
  });

  test("takes nothing from any window", async () => {
    const clock = createHeldClock();
    const { url } = await startScene({ SECOND_LIMIT: "1", HOUR_LIMIT: "2" }, { clock });
    await ask(url, question);
    for (let count = 0; count < 5; count += 1) await askInVain(url, question);
    clock.forward(1_000);
    await ask(url, question);
    clock.forward(1_000);
    expect((await askInVain(url, question)).data).toMatchObject({ window: "hour" });
  });

  test("waits as long for a window of hours as the last one says", async () => {
    const { url } = await startScene({ MINUTE_LIMIT: "1", DAY_LIMIT: "1" });
    await ask(url, question);
    const { data, reply } = await askInVain(url, question);
    expect(data).toMatchObject({ window: "day" });
    expect(Number(reply.headers["retry-after"])).toBeGreaterThan(86_000);
  });

  test("is refused with a key of its own as well", async () => {
    const { url } = await startScene({ MINUTE_LIMIT: "1" });
    await ask(url, question);
    expect((await askInVain(url, { ...question, api_key: OWN_KEY })).code).toBe(429);
  });
});

describe.concurrent("what counts", () => {
  test("of five hundred calls at once exactly the limit is let through", async () => {
    const { url, upstream } = await startScene({ HOUR_LIMIT: "50" });
    const calls = Array.from({ length: 500 }, () => postJson(url, question));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 429)).toHaveLength(450);
    expect(upstream.requests).toHaveLength(50);
  });

  test.each([
    ["a mistake", {}, 400],
    ["a wrong key", { ...question, api_key: "sk-bad" }, 401],
  ])("%s counts", async (_name, body, code) => {
    const { url } = await startScene({ MINUTE_LIMIT: "1" });
    expect((await askInVain(url, body)).code).toBe(code);
    expect((await askInVain(url, question)).code).toBe(429);
  });

  test.each<[string, string, Record<string, string>, number]>([
    ["a body of another type", "{}", { "content-type": "text/plain" }, 415],
    ["a compressed body", "{}", { "content-encoding": "br" }, 415],
    ["a body that is too large", " ".repeat(70_000), {}, 413],
  ])("%s counts", async (_name, body, headers, code) => {
    const { url } = await startScene({ MINUTE_LIMIT: "1", MAX_BODY_BYTES: "65536" });
    const json = { "content-type": "application/json" };
    const refused = await askInVain(url, body, { headers: { ...json, ...headers } });
    expect(refused.code).toBe(code);
    expect((await askInVain(url, question)).code).toBe(429);
  });

  test("an upload that its client breaks off counts", async () => {
    const { parley, url } = await startScene({ MINUTE_LIMIT: "1" });
    const head =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99";
    await rawExchange(parley.port, `${head}\r\n\r\n{`, { timeoutMs: 300, label: "an end" }).catch(
      () => undefined,
    );
    await parley.logged('"msg":"request"');
    expect((await askInVain(url, question)).code).toBe(429);
  });

  test("a call that failed upstream counts", async () => {
    const { url } = await startScene({ MINUTE_LIMIT: "1" }, { behaviour: refuse(500) });
    expect((await askInVain(url, question)).code).toBe(502);
    expect((await askInVain(url, question)).code).toBe(429);
  });

  test("all spellings of the route and both forms share one budget", async () => {
    const { parley } = await startScene({ ROUTE: "api", MINUTE_LIMIT: "3" });
    await ask(`${parley.origin}/api`, question);
    await ask(`${parley.origin}/api/?x=1`, question);
    expect((await askStream(`${parley.origin}/api`, question)).done).toBe(true);
    expect((await askInVain(`${parley.origin}/api/`, question)).code).toBe(429);
    const headers = { "x-forwarded-for": "192.0.2.1", forwarded: "for=192.0.2.1" };
    expect((await askInVain(`${parley.origin}/api`, question, { headers })).code).toBe(429);
  });

  test("other addresses have budgets of their own", async () => {
    const { url } = await startScene({ MINUTE_LIMIT: "1" });
    await ask(url, question);
    expect((await askInVain(url, question)).code).toBe(429);
    await ask(url, question, { localAddress: "127.0.0.2" });
  });

  test("GET on the route, unknown paths, preflight and status are free", async () => {
    const { url } = await startScene({ MINUTE_LIMIT: "1" });
    for (const path of ["", "healthz", "readyz", "whoami", "metrics", "nowhere"]) {
      await postJson(url + path, undefined, { method: "GET" });
    }
    await postJson(url, undefined, { method: "OPTIONS" });
    await postJson(url, question, { method: "PUT" });
    await ask(url, question);
  });
});

describe.concurrent("RateLimit headers", () => {
  test("count down on every kind of answer of the route", async () => {
    const limits = { SECOND_LIMIT: "90", MINUTE_LIMIT: "100", HOUR_LIMIT: "200", DAY_LIMIT: "300" };
    const { url, upstream } = await startScene(limits, { clock: createHeldClock() });
    const bodies: [unknown, number][] = [
      [question, 200],
      ["{", 400],
      [{}, 400],
      [{ ...question, api_key: "sk-bad" }, 401],
      [{ ...question, api_key: "sk-limited" }, 429],
      [{ ...question, stream: true }, 200],
      [{ ...question, stream: true, max_tokens: 0 }, 400],
      ["x".repeat(1_100_000), 413],
    ];
    let taken = 0;
    for (const [body, status] of bodies) {
      const stream = await openStream(url, body);
      expect(stream.status).toBe(status);
      await stream.text();
      taken += 1;
      expect(readRateLimits(stream.headers)).toEqual(
        Object.values(limits).map((limit, index) => ({
          name: ["second", "minute", "hour", "day"][index],
          quota: Number(limit),
          windowSeconds: [1, 60, 3_600, 86_400][index],
          remaining: Number(limit) - taken,
          resetSeconds: [1, 60, 3_600, 86_400][index],
        })),
      );
    }
    upstream.behave(refuse(500));
    const failed = await postJson(url, question);
    expect(failed.status).toBe(502);
    expect(readRateLimits(failed.headers)[0]).toMatchObject({ remaining: 90 - taken - 1 });
  });

  test("are absent where nothing is limited", async () => {
    const { url } = await startScene();
    const { headers } = await postJson(url, question);
    expect(headers.ratelimit ?? headers["ratelimit-policy"]).toBeUndefined();
  });

  test("tell the time until there is room, which is then there", async () => {
    const clock = createHeldClock();
    const { url } = await startScene({ MINUTE_LIMIT: "3" }, { clock });
    for (let step = 0; step < 60; step += 1) {
      const reply = await postJson(url, question);
      const [window] = readRateLimits(reply.headers);
      expect(reply.status === 429 ? window?.remaining : 0).toBe(0);
      if (reply.status === 429) clock.forward(Number(reply.headers["retry-after-ms"]));
      else clock.forward(step * 97);
      if (reply.status === 429) expect((await postJson(url, question)).status).toBe(200);
    }
  });
});

describe.concurrent("STREAM_LIMIT", () => {
  test("bounds the streams that one address has open, and gives the place back", async () => {
    const { url, upstream } = await startScene(
      { STREAM_LIMIT: "2" },
      { behaviour: stallMidStream },
    );
    const streaming = { ...question, stream: true };
    const first = await openStream(url, streaming);
    const second = await openStream(url, streaming);
    const refused = await askInVain(url, streaming);
    expect(refused).toMatchObject({ code: 429, data: { error: "streams_limited", limit: 2 } });
    expect(refused.reply.headers).toMatchObject({ "retry-after": "1" });
    const other = await openStream(url, streaming, { localAddress: "127.0.0.2" });
    expect(other.status).toBe(200);
    upstream.behave(answer);
    await ask(url, question);
    first.hangUp();
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the first is closed",
      timeoutMs: 5_000,
    });
    const third = askStream(url, question);
    expect((await deadline(third, 5_000, "the third stream")).done).toBe(true);
    expect((await askStream(url, question)).done).toBe(true);
    second.hangUp();
    other.hangUp();
  });

  test("gives the place back after every failure", async () => {
    const { url, upstream } = await startScene({ STREAM_LIMIT: "1" }, { behaviour: refuse(500) });
    for (let count = 0; count < 3; count += 1) {
      expect((await askInVain(url, { ...question, stream: true })).code).toBe(502);
    }
    upstream.behave(answer);
    for (let count = 0; count < 3; count += 1) {
      expect((await askStream(url, question)).done).toBe(true);
    }
  });
});
