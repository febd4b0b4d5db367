import { createConnection } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { deadline } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { until } from "../../support/process.ts";
import { checkWhole, failureOf, linesOf, startChats, WAIT_MS } from "./support.ts";

describe.concurrent("GET /chats", () => {
  test("lists the caller's own with their size and times, oldest first", async () => {
    const clock = createHeldClock();
    const { ann } = await startChats({ EXPIRE_HOURS: "2" }, { clock });
    const startMs = clock.wallMs();
    await ann.ask("b", "天空");
    clock.forward(1_000);
    await ann.post("/a/system", { content: "a prompt is no message" });
    const at = (ms: number) => new Date(startMs + ms).toISOString();
    expect(await ann.get("/chats")).toEqual([
      { name: "b", messages: 2, bytes: 18, created_at: at(0), expires_at: at(7_200_000) },
      { name: "a", messages: 0, bytes: 0, created_at: at(1_000), expires_at: at(7_201_000) },
    ]);
  });

  test("comes in pages, without conversations that have no name", async () => {
    const { ann } = await startChats();
    await ann.post("/ask/new", { prompt: "a tree" });
    const names = Array.from({ length: 7 }, (_, at) => `chat & ${at}`);
    for (const name of names) {
      await ann.post(`/${encodeURIComponent(name)}/system`, { content: "x" });
    }
    const seen: string[] = [];
    for (let after = "", pages = 0; pages < 4; pages += 1) {
      const query = `limit=3&after=${encodeURIComponent(after)}`;
      const page = (await ann.get(`/chats?${query}`)) as { name: string }[];
      seen.push(...page.map(({ name }) => name));
      after = page.at(-1)?.name ?? after;
      expect(page).toHaveLength([3, 3, 1, 0][pages] ?? 0);
    }
    expect(seen).toEqual(names);
  });

  test.each([
    ["limit=0", "400 field_range"],
    ["limit=1001", "400 field_range"],
    ["limit=-1", "400 field_range"],
    ["limit=", "400 field_range"],
    ["limit=ten", "400 field_type"],
    ["limit=1.5", "400 field_type"],
    ["after=nobody", "404 conversation_not_found"],
  ])("?%s is %s", async (query, refusal) => {
    const { ann } = await startChats();
    const reply = await ann.send("GET", `/chats?${query}`);
    const failure = failureOf(reply);
    expect(`${reply.status} ${failure.code}`).toBe(refusal);
    expect(failure.field).toBe(query.startsWith("limit") ? "limit" : "after");
  });
});

describe.concurrent("GET /conversations", () => {
  test("exports chats and trees, each with its messages after it", async () => {
    const clock = createHeldClock();
    const { ann } = await startChats({}, { clock });
    await ann.post("/work/system", { content: "be brief" });
    await ann.ask("work", "one");
    clock.forward(1);
    await ann.post("/ask/new", { prompt: "a tree" });
    const lines = linesOf(await ann.send("GET", "/conversations"));
    expect(lines).toMatchObject([
      { type: "conversation", name: "work", system_prompt: "be brief", messages: 2 },
      { type: "message", role: "user", content: "one", parent_id: null, state: "complete" },
      { type: "message", role: "assistant", content: "echo: one", state: "complete" },
      { type: "conversation", name: null, system_prompt: null, messages: 2 },
      { type: "message", role: "user", content: "a tree" },
      { type: "message", role: "assistant", content: "echo: a tree" },
    ]);
    expect(lines[1]).toEqual({
      type: "message",
      conversation_id: lines[0]?.id,
      id: lines[2]?.parent_id,
      parent_id: null,
      role: "user",
      content: "one",
      created_at: new Date(clock.wallMs() - 1).toISOString(),
      state: "complete",
    });
    expect(Object.keys(lines[0] ?? {})).toEqual([
      "type",
      "id",
      "name",
      "system_prompt",
      "messages",
      "bytes",
      "created_at",
      "expires_at",
    ]);
    expect(checkWhole(lines)).toBe(4);
  });

  test("of a caller who has nothing is empty", async () => {
    const { ann } = await startChats();
    const reply = await ann.send("GET", "/conversations");
    expect(reply).toMatchObject({ status: 200, text: "" });
  });

  test("ends when its reader leaves", async () => {
    const { ann, parley } = await startChats({ MAX_BODY_BYTES: "4000000" });
    const large = "x".repeat(3_000_000);
    for (let at = 0; at < 5; at += 1) await ann.ask(`chat-${at}`, large);
    const head = "GET /conversations HTTP/1.1\r\nhost: x\r\n";
    const socket = createConnection({ port: parley.port, host: "127.0.0.1" });
    socket.write(`${head}authorization: Bearer sk-ann-0123456789\r\n\r\n`);
    await deadline(new Promise((resolve) => socket.once("readable", resolve)), WAIT_MS, "a byte");
    await until(() => parley.parley.openCalls.count === 1, { label: "open", timeoutMs: WAIT_MS });
    socket.destroy();
    await until(() => parley.parley.openCalls.count === 0, { label: "over", timeoutMs: WAIT_MS });
    const line = await parley.logged('"route":"chats GET /conversations"');
    expect(JSON.parse(line)).toMatchObject({ status: 499 });
    expect(checkWhole(linesOf(await ann.send("GET", "/conversations")))).toBe(10);
  });
});

test("DELETE /conversations deletes all that is the caller's and says how much", async () => {
  const { ann } = await startChats();
  await ann.ask("a", "one");
  await ann.ask("b", "one");
  await ann.post("/ask/new", { prompt: "a tree" });
  expect(await ann.delete("/conversations")).toEqual({ deleted: 3 });
  expect(await ann.delete("/conversations")).toEqual({ deleted: 0 });
  expect(await ann.get("/chats")).toEqual([]);
  expect(await ann.refused("GET", "/a/chat")).toBe("404 conversation_not_found");
  await ann.ask("a", "anew");
  expect(await ann.history("a")).toHaveLength(2);
});

test("HEAD /conversations has no body, and nothing is written behind its back", async () => {
  const complaints = vi.spyOn(console, "error");
  const { ann } = await startChats();
  await ann.ask("work", "one");
  const reply = await ann.send("HEAD", "/conversations");
  expect(reply).toMatchObject({ status: 200, text: "" });
  expect(reply.headers["content-type"]).toBe("application/x-ndjson");
  await ann.get("/chats");
  expect(complaints).not.toHaveBeenCalled();
});
