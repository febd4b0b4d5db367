import { describe, expect, test } from "vitest";
import {
  errorEventMidStream,
  finMidStream,
  refuse,
  resetMidStream,
  sequence,
  stallMidStream,
} from "../../support/faults.ts";
import { deadline } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { answer, type Behaviour } from "../../support/upstream.ts";
import { type Caller, failureOf, readStream, startChats, WAIT_MS } from "./support.ts";

const QUESTION = "one two three";
const WHOLE = `echo: ${QUESTION}`;

/** The chat's newest message, once its answer is kept; the client that left is not waited for. */
async function keptAnswer(caller: Caller, chat: string) {
  await until(async () => (await caller.history(chat)).length > 0, {
    label: "the turn is kept",
    timeoutMs: WAIT_MS,
  });
  return (await caller.history(chat)).at(-1);
}

describe.concurrent("a streamed answer", () => {
  test("comes in pieces, then whole, then [DONE]", async () => {
    const { ann } = await startChats();
    await ann.ask("work", "before");
    const stream = await ann.open("work", QUESTION);
    expect(stream.status).toBe(200);
    expect(stream.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    const { deltas, last, done } = await readStream(stream);
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.join("")).toBe(WHOLE);
    expect(last).toEqual({
      content: WHOLE,
      role: "assistant",
      tokens: {
        completion_tokens: WHOLE.length,
        prompt_tokens: "beforeecho: before".length + QUESTION.length,
        total_tokens: "beforeecho: before".length + QUESTION.length + WHOLE.length,
      },
      model: "gpt-4o-mini",
      finish_reason: "stop",
      omitted: 0,
      done: true,
    });
    expect(done).toBe(true);
    expect(await ann.history("work")).toHaveLength(4);
  });

  test("is kept before its end is told", async () => {
    const { ann } = await startChats();
    for (let times = 0; times < 20; times += 1) {
      await readStream(await ann.open("work", `question ${times}`));
      expect(await ann.history("work")).toHaveLength(2 * times + 2);
    }
  });

  test("comes for images too", async () => {
    const { ann } = await startChats();
    const body = { content: "what?", url: "data:image/png;base64,AAAA", stream: true };
    const reply = await ann.send("POST", "/work/img", body);
    expect(reply.text).toMatch(/^data: \{"delta":.*"done":true\}\n\ndata: \[DONE\]\n\n$/s);
  });

  test("that is refused before its first piece has a status of its own", async () => {
    const { ann, upstream } = await startChats({}, { behaviour: refuse(500) });
    const body = { content: QUESTION, stream: true };
    expect(await ann.refused("POST", "/work/chat", body)).toBe("502 upstream_failed");
    expect(await ann.history("work")).toEqual([]);
    upstream.behave(answer);
    expect((await readStream(await ann.open("work", QUESTION))).done).toBe(true);
  });
});

const breaks: Behaviour[] = [resetMidStream, finMidStream, errorEventMidStream];

describe.concurrent("an answer that breaks", () => {
  test.each(breaks)(
    "($name) ends in the dialect's own error and is kept as far as it came",
    async (fault) => {
      const { ann, upstream } = await startChats({}, { behaviour: sequence([fault, answer]) });
      const { deltas, last, failure, done } = await readStream(await ann.open("work", QUESTION));
      expect(last).toBeNull();
      expect(done).toBe(false);
      expect(failure?.code).toMatch(/^upstream_/);
      const text = deltas.join("");
      expect(text.length).toBeGreaterThan(0);
      expect(WHOLE.startsWith(text)).toBe(true);
      const kept = [
        { role: "user", content: QUESTION },
        { role: "assistant", content: text, state: "interrupted" },
      ];
      expect(await ann.history("work")).toEqual(kept);
      await ann.ask("work", "go on");
      expect(upstream.requests.at(-1)?.json).toMatchObject({
        messages: [
          { role: "user", content: QUESTION },
          { role: "assistant", content: text },
          { role: "user", content: "go on" },
        ],
      });
    },
  );

  test("because its client left is kept as far as it came, and the upstream is closed", async () => {
    const { ann, upstream } = await startChats({}, { behaviour: stallMidStream });
    const stream = await ann.open("work", QUESTION);
    const reader = stream.events[Symbol.asyncIterator]();
    const first = await deadline(Promise.resolve(reader.next()), WAIT_MS, "the first piece");
    stream.hangUp();
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the upstream is closed",
      timeoutMs: WAIT_MS,
    });
    const kept = await keptAnswer(ann, "work");
    expect(kept).toMatchObject({ role: "assistant", state: "interrupted" });
    const piece = JSON.parse(String(first.value)) as { delta: string };
    expect(String(kept?.content).startsWith(piece.delta)).toBe(true);
    upstream.behave(answer);
    await ann.ask("work", "go on");
    expect(await ann.history("work")).toHaveLength(4);
  });
});

describe.concurrent("while an answer is under way", () => {
  test("another question in the chat is a 409, and one elsewhere is answered", async () => {
    const { ann, upstream } = await startChats({}, { behaviour: stallMidStream });
    const stream = await ann.open("work", QUESTION);
    const reader = stream.events[Symbol.asyncIterator]();
    await deadline(Promise.resolve(reader.next()), WAIT_MS, "the first piece");
    upstream.behave(answer);
    const reply = await ann.send("POST", "/work/chat", { content: "me too" });
    expect(reply.status).toBe(409);
    expect(failureOf(reply).code).toBe("conversation_conflict");
    expect(upstream.requests).toHaveLength(1);
    await ann.ask("home", "elsewhere");
    stream.hangUp();
    await keptAnswer(ann, "work");
    await ann.ask("work", "now");
    expect(await ann.history("work")).toHaveLength(4);
  });

  test("clearing the chat loses the answer and nothing else", async () => {
    const go = Promise.withResolvers<void>();
    const held: Behaviour = {
      name: "held",
      run: async (exchange) => {
        await go.promise;
        await answer.run(exchange);
      },
    };
    const { ann, upstream } = await startChats({}, { behaviour: held });
    const asked = ann.refused("POST", "/work/chat", { content: QUESTION });
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: WAIT_MS });
    await ann.post("/work/clear");
    go.resolve();
    expect(await asked).toBe("404 conversation_not_found");
    expect(await ann.refused("GET", "/work/chat")).toBe("404 conversation_not_found");
    await ann.ask("work", "anew");
    expect(await ann.history("work")).toHaveLength(2);
  });
});
