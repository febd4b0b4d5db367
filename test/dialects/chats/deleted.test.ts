/** A chat or a tree that is deleted while its answer is under way. */
import { expect, test } from "vitest";
import { silent, stallMidStream } from "../../support/faults.ts";
import { openStream, postJson } from "../../support/http.ts";
import { answer } from "../../support/upstream.ts";
import { readStream, startChats, WAIT_MS } from "./support.ts";

const OUTCOME = '"outcome":"canceled"';

test.each([
  ["a chat that is deleted", "DELETE", "/work"],
  ["a chat that is cleared", "POST", "/work/clear"],
  ["all chats that are deleted", "DELETE", "/conversations"],
])("%s: the upstream is left, and the caller is told", async (_name, method, path) => {
  const { ann, upstream, parley } = await startChats({}, { behaviour: silent });
  const asked = ann.refused("POST", "/work/chat", { content: "hi" });
  await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: WAIT_MS });
  expect((await ann.send(method, path)).status).toBe(200);
  expect(await asked).toBe("404 conversation_not_found");
  await upstream.waitFor(() => upstream.closedEarly.count === 1, {
    label: "left",
    timeoutMs: WAIT_MS,
  });
  expect(await parley.logged('"status":404')).toContain(OUTCOME);
  expect(await ann.refused("GET", "/work/chat")).toBe("404 conversation_not_found");
  upstream.behave(answer);
  expect((await ann.ask("work", "again")).content).toBe("echo: again");
});

test("a stream ends with the reason, and nothing of it is kept", async () => {
  const { ann, upstream, parley } = await startChats({}, { behaviour: stallMidStream });
  const stream = await ann.open("work", "hi");
  await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: WAIT_MS });
  await ann.delete("/work");
  const { failure, done } = await readStream(stream);
  expect([failure?.code, done]).toEqual(["conversation_not_found", false]);
  await upstream.waitFor(() => upstream.closedEarly.count === 1, {
    label: "left",
    timeoutMs: WAIT_MS,
  });
  await parley.logged(OUTCOME);
  expect((await ann.send("GET", "/conversations")).text).toBe("");
});

test("a tree: the same", async () => {
  const { origin, upstream } = await startChats();
  const first = await postJson(`${origin}/ask/new`, { prompt: "hi" });
  const { conversation_id: id } = first.json as { conversation_id: string };
  upstream.behave(stallMidStream);
  const stream = await openStream(`${origin}/ask/${id}`, { prompt: "more", stream: true });
  await postJson(`${origin}/ask/${id}`, undefined, { method: "DELETE" });
  const texts = await Array.fromAsync(stream.events);
  expect(JSON.parse(texts.at(-1) ?? "")).toMatchObject({ detail: "conversation_not_found" });
  await upstream.waitFor(() => upstream.open() === 0, { label: "left", timeoutMs: WAIT_MS });
});
