import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  badJsonEvent,
  commentsInStream,
  crlfStream,
  errorEventMidStream,
  finMidStream,
  jsonWhereSseAsked,
  resetMidStream,
  splitEveryByte,
} from "../../support/faults.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { createAnswer } from "../../support/upstream.ts";
import { streamed } from "./support.ts";

const own = { "openai-token": OWN_KEY };
const chunk = z.looseObject({
  object: z.literal("chat.completion.chunk"),
  choices: z.array(z.unknown()),
  text: z.string(),
  status: z.literal("ok"),
});
const failure = z.looseObject({ text: z.string(), status: z.literal("error"), code: z.string() });

const textOf = (events: readonly string[]) =>
  events.map((event) => chunk.parse(JSON.parse(event)).text).join("");

describe.concurrent("a streamed completion", () => {
  test("is the upstream's chunks with their text, and [DONE]", async () => {
    const { parley, upstream } = await startScene();
    const { status, events } = await streamed(parley.origin, { prompt: "почему? 天空" }, own);
    expect(status).toBe(200);
    expect(events.at(-1)).toBe("[DONE]");
    expect(textOf(events.slice(0, -1))).toBe("echo: почему? 天空");
    expect(upstream.requests[0]?.json).toMatchObject({ stream_options: { include_usage: true } });
    // asked for by us, so not shown
    expect(events.join("")).not.toContain("total_tokens");
  });

  test("shows usage to a client that asked for it", async () => {
    const { parley } = await startScene();
    const generate_params = { stream: true, stream_options: { include_usage: true } };
    const { events } = await streamed(parley.origin, { prompt: "hi", generate_params }, own);
    expect(events.join("")).toContain("total_tokens");
    expect(events.at(-1)).toBe("[DONE]");
  });

  test.each([splitEveryByte, crlfStream, commentsInStream])(
    "arrives whole however it was cut: $name",
    async (behaviour) => {
      const { parley } = await startScene({}, { behaviour });
      const { events } = await streamed(parley.origin, { prompt: "天空 😀" }, own);
      expect(events.at(-1)).toBe("[DONE]");
      expect(textOf(events.slice(0, -1))).toBe("echo: 天空 😀");
    },
  );

  test("is one chunk where the upstream does not stream", async () => {
    const { parley } = await startScene({}, { behaviour: jsonWhereSseAsked });
    const { events } = await streamed(parley.origin, { prompt: "hi" }, own);
    expect(events).toHaveLength(2);
    expect(textOf(events.slice(0, -1))).toBe("echo: hi");
  });

  test.each([resetMidStream, finMidStream, errorEventMidStream, badJsonEvent])(
    "that breaks ends with a failure and no [DONE]: $name",
    async (behaviour) => {
      const { parley } = await startScene({}, { behaviour });
      const { events } = await streamed(parley.origin, { prompt: "hi" }, own);
      expect(events).not.toContain("[DONE]");
      expect(failure.parse(JSON.parse(events.at(-1) ?? "")).code).toMatch(/^upstream_/);
      expect(events.join("")).not.toContain("canary");
    },
  );

  test("of a chunk with escapes and line breaks keeps them", async () => {
    const text = () => 'a "quote"\n\ndata: [DONE]\n\n\\ end';
    const { parley } = await startScene({}, { behaviour: createAnswer({ text }) });
    const { events } = await streamed(parley.origin, { prompt: "hi" }, own);
    expect(textOf(events.slice(0, -1))).toBe(text());
  });
});
