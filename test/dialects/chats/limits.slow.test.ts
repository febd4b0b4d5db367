import { describe, expect, test } from "vitest";
import { createTranslate, htmlTag, languages } from "../../../src/locales.ts";
import { stallMidStream } from "../../support/faults.ts";
import { deadline } from "../../support/http.ts";
import { startPair } from "../../support/pair.ts";
import { createHeldClock } from "../../support/parley.ts";
import { readRateLimits } from "../../support/rate-limit-headers.ts";
import { type Behaviour, composeAnswer, goodHeaders } from "../../support/upstream.ts";
import {
  bearer,
  createCaller,
  failureOf,
  keyed,
  readStream,
  startChats,
  WAIT_MS,
} from "./support.ts";

const translate = createTranslate();

const routes: [string, string, unknown][] = [
  ["POST", "/work/chat", { content: "one" }],
  ["POST", "/work/img", { content: "one", url: "https://example.org/a.png" }],
  ["GET", "/work/chat", undefined],
  ["POST", "/work/system", { content: "one" }],
  ["GET", "/work/system", undefined],
  ["POST", "/work/clear", undefined],
  ["DELETE", "/work", undefined],
  ["GET", "/system", undefined],
  ["POST", "/system", { content: "one" }],
  ["POST", "/mod", { content: "one" }],
  ["GET", "/chats", undefined],
  ["GET", "/conversations", undefined],
  ["DELETE", "/conversations", undefined],
];

describe.concurrent("the limits", () => {
  test.each(routes)("count and refuse %s %s", async (method, path, body) => {
    const { ann } = await startChats({ MINUTE_LIMIT: "2" }, { clock: createHeldClock() });
    await ann.post("/work/system", { content: "x" });
    const first = await ann.send(method, path, body);
    expect(readRateLimits(first.headers)[0]).toMatchObject({ name: "minute", remaining: 0 });
    const refused = await ann.send(method, path, body);
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({ "retry-after": "60", "retry-after-ms": "60000" });
    expect(failureOf(refused)).toMatchObject({
      code: "rate_limited",
      window: "minute",
      limit: 2,
      retry_after_seconds: 60,
    });
  });

  test("hold for streams open at once", async () => {
    const { ann } = await startChats({ STREAM_LIMIT: "1" }, { behaviour: stallMidStream });
    const stream = await ann.open("work", "one");
    const reader = stream.events[Symbol.asyncIterator]();
    await deadline(Promise.resolve(reader.next()), WAIT_MS, "the first piece");
    const body = { content: "one", stream: true };
    expect(await ann.refused("POST", "/home/chat", body)).toBe("429 streams_limited");
    stream.hangUp();
  });
});

describe.concurrent("errors", () => {
  test.each(languages)("are told in %s", async (language) => {
    const { origin } = await startChats();
    const caller = createCaller(origin, {
      ...bearer("sk-ann"),
      "accept-language": htmlTag(language),
    });
    const reply = await caller.send("GET", "/work/chat");
    expect(failureOf(reply).error).toBe(translate(language, "error.conversation_not_found"));
    expect(reply.headers["content-language"]).toBe(htmlTag(language));
  });

  test("are in the language of the server where the caller names none", async () => {
    const { ann, origin } = await startChats(
      { LANG: "ru_RU.UTF-8" },
      { behaviour: stallMidStream },
    );
    const { error } = failureOf(await ann.send("POST", "/work/chat", {}));
    expect(error).toMatch(/\p{Script=Cyrillic}.*content/u);
    expect(origin).toContain("http");
  });
});

test("a chat's answer is finished while the server drains, and a new question is a 503", async () => {
  const go = Promise.withResolvers<void>();
  const held: Behaviour = {
    name: "held",
    run: async ({ request, response, write }) => {
      const [first = "", second = "", ...rest] = composeAnswer(request).events;
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      await write(first + second);
      await go.promise;
      response.end(rest.join(""));
    },
  };
  const env = { API_KEY: "", SHUTDOWN_SECONDS: "30" };
  const { parley, upstream } = await startPair(env, { behaviour: held });
  const ann = keyed(parley.url);
  const stream = await ann.open("work", "one two three four");
  await upstream.waitFor(() => upstream.open() === 1, { label: "open", timeoutMs: WAIT_MS });
  parley.signal("SIGTERM");
  await parley.waitForLog(/"draining"/);
  for (const [method, path, body] of routes.slice(0, 8)) {
    expect(await ann.refused(method, path, body)).toBe("503 draining");
  }
  go.resolve();
  const { last, done } = await readStream(stream);
  expect(last?.content).toBe("echo: one two three four");
  expect(done).toBe(true);
  expect(await deadline(parley.exit, WAIT_MS, "the process ends")).toBe(0);
});
