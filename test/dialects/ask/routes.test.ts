import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { refuse, resetMidStream, stallMidStream } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { startParley } from "../../support/parley.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { startTokenScene } from "../openai/support.ts";
import { createAsker, lastAsked, lastEvent } from "./support.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe.concurrent("a conversation tree", () => {
  test("branches: the upstream sees each path and nothing of the others", async () => {
    const { parley, upstream } = await startScene();
    const { ask } = createAsker(parley.origin);
    const first = await ask("new", "1");
    const id = first.conversation_id;
    const left = await ask(id, "2 left", { parent_id: first.parent_id });
    const right = await ask(id, "2 right", { parent_id: first.parent_id });
    await ask(id, "3 left", { parent_id: left.parent_id });
    const start = ["1", "echo: 1"];
    expect(lastAsked(upstream.requests)).toEqual([...start, "2 left", "echo: 2 left", "3 left"]);
    await ask(id, "3 right", { parent_id: right.parent_id });
    expect(lastAsked(upstream.requests)).toEqual([...start, "2 right", "echo: 2 right", "3 right"]);
    // without a parent the newest answer is gone on from
    await ask(id, "4");
    expect(lastAsked(upstream.requests).slice(-3)).toEqual(["3 right", "echo: 3 right", "4"]);
  });

  test("that is new never goes on from anybody's", async () => {
    const { parley, upstream } = await startScene();
    const askers = [null, null, OWN_KEY, "sk-another"].map((key) =>
      createAsker(parley.origin, key),
    );
    const ids = new Set<string>();
    for (const { ask } of askers) {
      ids.add((await ask("new", "hello")).conversation_id);
      expect(lastAsked(upstream.requests)).toEqual(["hello"]);
    }
    expect(ids.size).toBe(4);
  });

  test.each([
    "cost is $5 <|end|>$new$x and <|ask|>$1$2$3",
    "line\nbreaks\r\n\tand \u0000 zero",
    "emoji 😀 and \\ud83d",
    "   blanks   ",
    "\u202eright to left\u202c, joiners \u200d\u200c, marks \ufeff\ufffe",
    "lines \u2028\u2029, escapes \u001b[31m",
  ])("gets a prompt whole: %j", async (prompt) => {
    const { parley, upstream } = await startScene();
    const { ask, tree } = createAsker(parley.origin);
    const { conversation_id } = await ask("new", prompt);
    expect(lastAsked(upstream.requests)).toEqual([prompt]);
    expect((await tree(conversation_id)).messages[0]?.content).toBe(prompt);
    await ask(conversation_id, "more");
    expect(lastAsked(upstream.requests)[0]).toBe(prompt);
  });

  test("keeps each turn whole where branches and first questions come at once", async () => {
    const { parley } = await startScene();
    const { ask, tree } = createAsker(parley.origin);
    const { conversation_id, parent_id } = await ask("new", "1");
    const prompts = Array.from({ length: 6 }, (_, at) => `branch ${at}`);
    await Promise.all(prompts.map((prompt) => ask(conversation_id, prompt, { parent_id })));
    const { messages } = await tree(conversation_id);
    expect(messages).toHaveLength(14);
    const questions = messages.filter((message) => message.parent_id === parent_id);
    expect(questions.map(({ content }) => content).toSorted()).toEqual(prompts);
    for (const { id, content } of questions) {
      const answers = messages.filter((message) => message.parent_id === id);
      expect(answers.map((message) => message.content)).toEqual([`echo: ${content}`]);
    }
    const first = await Promise.all(Array.from({ length: 4 }, () => ask("new", "hi")));
    expect(new Set(first.map((one) => one.conversation_id)).size).toBe(4);
    for (const one of first) expect((await tree(one.conversation_id)).messages).toHaveLength(2);
  });

  test("is shown as a tree, parents before children, and can be deleted", async () => {
    const { parley } = await startScene();
    const { ask, tree, send, refused } = createAsker(parley.origin);
    const first = await ask("new", "1");
    const id = first.conversation_id;
    await ask(id, "2", { parent_id: first.parent_id });
    await ask(id, "2 too", { parent_id: first.parent_id });
    const shown = await tree(id);
    expect(shown.messages).toHaveLength(6);
    const seen = new Set<string | null>([null]);
    for (const message of shown.messages) {
      expect(seen.has(message.parent_id)).toBe(true);
      seen.add(message.id);
    }
    expect((await send("DELETE", id)).status).toBe(200);
    expect(await refused("GET", id)).toBe("404 conversation_not_found");
    expect(await refused("DELETE", id)).toBe("404 conversation_not_found");
  });

  test("leaves out what the model has no room for, and counts it", async () => {
    const { parley, upstream } = await startScene({
      CONTEXT_TOKENS: "600",
      MAX_TOKENS_LIMIT: "100",
      MAX_TOKENS: "100",
    });
    const { ask } = createAsker(parley.origin);
    const long = "word ".repeat(100);
    const { conversation_id: id } = await ask("new", `0 ${long}`);
    for (const number of [1, 2]) await ask(id, `${number} ${long}`);
    const { omitted } = await ask(id, "last");
    const asked = lastAsked(upstream.requests);
    expect(asked.at(-1)).toBe("last");
    expect(omitted).toBe(7 - asked.length);
    expect(omitted).toBeGreaterThan(0);
    expect(omitted % 2).toBe(0);
  });
});

describe.concurrent("whose a conversation is", () => {
  test("with a token: its holder's alone", async () => {
    const { parley, token, issue } = await startTokenScene();
    const { conversation_id: id } = await createAsker(parley.origin, token).ask("new", "mine");
    const others = [null, OWN_KEY, (await issue()).token];
    for (const key of others) {
      const { refused } = createAsker(parley.origin, key);
      expect(await refused("POST", id, { prompt: "yours?" })).toBe("404 conversation_not_found");
      expect(await refused("GET", id)).toBe("404 conversation_not_found");
      expect(await refused("DELETE", id)).toBe("404 conversation_not_found");
    }
    await createAsker(parley.origin, token).ask(id, "still mine");
  });

  test("without a credential: anyone's who knows its id, whoever pays", async () => {
    const { parley, token } = await startTokenScene();
    const { conversation_id: id } = await createAsker(parley.origin).ask("new", "open");
    for (const key of [null, OWN_KEY, token]) await createAsker(parley.origin, key).ask(id, "on");
    expect((await createAsker(parley.origin, token).tree(id)).messages).toHaveLength(8);
  });

  test("with a key: found again after a restart and a change of SECRET_KEY", async () => {
    const { upstream } = await startScene();
    const DATA_DIR = mkdtempSync(join(tmpdir(), "parley-test-"));
    folders.push(DATA_DIR);
    const settings = { OPENAI_URL: upstream.url, DATA_DIR, ENCRYPT_CONTENT: "off" };
    const first = await startParley({ ...settings, SECRET_KEY: "a".repeat(32) });
    const { conversation_id: id } = await createAsker(first.origin, OWN_KEY).ask("new", "1");
    await first.close();
    const second = await startParley({ ...settings, SECRET_KEY: "b".repeat(32) });
    await createAsker(second.origin, OWN_KEY).ask(id, "2");
    expect(lastAsked(upstream.requests)).toEqual(["1", "echo: 1", "2"]);
    await second.close();
  });
});

describe.concurrent("a question that is wrong", () => {
  test.each([
    [{}, "400 field_missing"],
    [{ prompt: "" }, "400 field_empty"],
    [{ prompt: 7 }, "400 field_type"],
    [{ prompt: "hi", parent_id: "x" }, "400 field_needs"],
    [{ prompt: "hi", max_tokens: 0 }, "400 field_range"],
    [[], "400 body_not_object"],
  ])("is refused and the field named: %j", async (body, expected) => {
    const { parley } = await startScene();
    expect(await createAsker(parley.origin).refused("POST", "new", body)).toBe(expected);
  });

  test("of an unknown conversation or parent is a 404", async () => {
    const { parley, upstream } = await startScene();
    const { ask, refused } = createAsker(parley.origin);
    const one = await ask("new", "1");
    const two = await ask("new", "2");
    const asked = upstream.requests.length;
    const body = { prompt: "hi", parent_id: two.parent_id };
    expect(await refused("POST", one.conversation_id, body)).toBe("404 message_not_found");
    expect(await refused("POST", "f".repeat(32), { prompt: "hi" })).toBe(
      "404 conversation_not_found",
    );
    // a question is no answer to go on from
    const [question] = (await createAsker(parley.origin).tree(one.conversation_id)).messages;
    const odd = { prompt: "hi", parent_id: question?.id };
    expect(await refused("POST", one.conversation_id, odd)).toBe("404 message_not_found");
    expect(upstream.requests).toHaveLength(asked);
  });

  test("is told in the caller's language, with the limits", async () => {
    const { parley } = await startScene({ MINUTE_LIMIT: "1" });
    const headers = { "accept-language": "zh-CN" };
    const url = `${parley.origin}/ask/new`;
    const wrong = await postJson(url, { prompt: "" }, { headers });
    expect(wrong.json).toMatchObject({ response: expect.stringMatching(/字段/), field: "prompt" });
    const limited = await postJson(url, { prompt: "hi" }, { headers });
    expect(limited.status).toBe(429);
    expect(limited.json).toMatchObject({ detail: "rate_limited", window: "minute" });
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
  });

  test("leaves no conversation behind, and neither does one the upstream refuses", async () => {
    const { parley } = await startScene({}, { behaviour: refuse(500) });
    const { refused } = createAsker(parley.origin, OWN_KEY);
    expect(await refused("POST", "new", { prompt: "hi" })).toBe("502 upstream_failed");
    const headers = { authorization: `Bearer ${OWN_KEY}` };
    const kept = await postJson(`${parley.origin}/conversations`, undefined, {
      method: "GET",
      headers,
    });
    expect(kept).toMatchObject({ status: 200, text: "" });
  });
});

describe.concurrent("a streamed answer", () => {
  test("comes in deltas, then whole, then [DONE]", async () => {
    const { parley } = await startScene();
    const { open, ask } = createAsker(parley.origin);
    const events = await Array.fromAsync((await open("new", "почему?")).events);
    expect(events.at(-1)).toBe("[DONE]");
    const end = lastEvent.parse(JSON.parse(events.at(-2) ?? ""));
    const deltas = events.slice(0, -2).map((event) => Reflect.get(JSON.parse(event), "delta"));
    expect(deltas.join("")).toBe("echo: почему?");
    expect(end.message).toBe("echo: почему?");
    await ask(end.conversation_id, "on", { parent_id: end.parent_id });
  });

  test("that breaks is a failure without [DONE], and kept as interrupted", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: resetMidStream });
    const { open, tree } = createAsker(parley.origin, OWN_KEY);
    const events = await Array.fromAsync((await open("new", "hello there")).events);
    expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ detail: "upstream_failed" });
    const id = await onlyConversation(parley.origin);
    const { messages } = await tree(id);
    expect(messages).toMatchObject([{ content: "hello there" }, { state: "interrupted" }]);
    expect(upstream.requests).toHaveLength(1);
  });

  test("whose client hangs up is closed upstream and kept as far as it came", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: stallMidStream });
    const { open, tree } = createAsker(parley.origin, OWN_KEY);
    const stream = await open("new", "hello there");
    for await (const _event of stream.events) break;
    stream.hangUp();
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the upstream is closed",
      timeoutMs: 5_000,
    });
    await parley.logged('"outcome":"canceled"');
    const { messages } = await tree(await onlyConversation(parley.origin));
    expect(messages).toMatchObject([{ content: "hello there" }, { state: "interrupted" }]);
  });
});

describe.concurrent("around it", () => {
  test("GET /ask without an upgrade says that WebSocket is spoken there", async () => {
    const { parley } = await startScene();
    const reply = await postJson(`${parley.origin}/ask`, undefined, { method: "GET" });
    expect(reply.status).toBe(426);
    expect(reply.headers.upgrade).toBe("websocket");
    expect(reply.json).toMatchObject({ detail: "upgrade_needed" });
  });
});

/** The id of the one conversation that OWN_KEY has, once it is kept. */
async function onlyConversation(origin: string): Promise<string> {
  const headers = { authorization: `Bearer ${OWN_KEY}` };
  const reply = await postJson(`${origin}/conversations`, undefined, { method: "GET", headers });
  const lines = reply.text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const ids = lines.flatMap(({ type, id }) => (type === "conversation" ? [id] : []));
  expect(ids).toHaveLength(1);
  return ids[0];
}
