/** The upstream refuses to parse half a surrogate pair, as strict servers do. */
import { expect, test } from "vitest";
import { refuse } from "../../support/faults.ts";
import type { AnswerOptions, Behaviour } from "../../support/upstream.ts";
import { createAnswer } from "../../support/upstream.ts";
import { createAsker } from "../ask/support.ts";
import { startChats } from "./support.ts";

const HALF = "half \ud83d";

function strict(options: AnswerOptions = {}): { behaviour: Behaviour } {
  const answer = createAnswer(options);
  const run: Behaviour["run"] = (exchange) => {
    const isRefused = /(?<!\\)\\ud[89a-f]/.test(exchange.request.bodyText);
    return (isRefused ? refuse(400) : answer).run(exchange);
  };
  return { behaviour: { name: "strict", run } };
}

test.each([
  ["an answer", "hi", { text: () => HALF }],
  ["a question", HALF, {}],
  ["a text beside an image", [{ type: "text", text: HALF }], {}],
])("half an emoji in %s leaves the chat as it should be", async (_name, content, options) => {
  const { ann, asked, origin } = await startChats({}, strict(options));
  await ann.ask("work", content);
  expect((await ann.ask("work", "and now?")).role).toBe("assistant");
  expect(JSON.stringify(asked())).toContain("half \ufffd");
  expect((await ann.send("GET", "/conversations")).text).toContain("half \ufffd");
  const { ask } = createAsker(origin);
  if (typeof content !== "string") return;
  const { conversation_id } = await ask("new", content);
  expect((await ask(conversation_id, "and now?")).message).toBeTypeOf("string");
});

test("half an emoji in a system message leaves the chat as it should be", async () => {
  const { ann, admin, asked } = await startChats({}, strict());
  await ann.post("/work/system", { content: HALF });
  await admin.post("/system", { content: HALF });
  await ann.ask("work", "hi");
  await ann.ask("home", "hi");
  expect(asked().messages[0]).toEqual({ role: "system", content: "half \ufffd" });
  expect((await ann.history("work"))[0]?.content).toBe("half \ufffd");
});
