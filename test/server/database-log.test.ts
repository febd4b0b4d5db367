import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { createAsker } from "../dialects/ask/support.ts";
import { keyed } from "../dialects/chats/support.ts";
import { bearer, question, startTokenScene } from "../dialects/openai/support.ts";
import { postJson } from "../support/http.ts";
import { until } from "../support/process.ts";

const REFUSED = 4;

test("a locked database is named in the log, with the calls it refused", async () => {
  const scene = await startTokenScene();
  const { origin, config, log, logged } = scene.parley;
  const limited = await scene.issue({ tokens_per_day: 1_000_000 });
  const holder = new DatabaseSync(`${config.DATA_DIR}/parley.sqlite`);
  onTestFinished(() => holder.close());
  holder.exec("BEGIN EXCLUSIVE");
  const ask = () => postJson(scene.chat, question, { headers: bearer(limited.token) });
  const calls = [
    ask,
    ask,
    () => keyed(origin).send("POST", "/work/chat", { content: "Hello?" }),
    () => createAsker(origin).send("POST", "new", { prompt: "Hello?" }),
  ];
  const replies = await Promise.all(calls.map((call) => call()));
  expect(replies.map(({ status }) => status)).toEqual(Array(REFUSED).fill(503));
  const line = JSON.parse(await logged('"calls refused"'));
  expect(line).toMatchObject({
    calls: 1,
    cause: "busy",
    reason: "the database is locked by another process",
    driver_code: "SQLITE_BUSY",
    errcode: 5,
  });
  expect(line.stack).toBeUndefined();
  const requests = () => log.filter((one) => one.includes('"error":"storage_unavailable"'));
  expect(requests().length).toBe(REFUSED);
  const counted = async () => {
    await ask();
    return log.filter((one) => one.includes('"calls refused"')).length === 2;
  };
  await until(counted, { label: "the next line counts the calls", timeoutMs: 5_000 });
  const next = JSON.parse(log.findLast((one) => one.includes('"calls refused"')) ?? "");
  expect(next.calls).toBe(requests().length - 1);
}, 30_000);

test.each([
  ["a wrong token", "/v1/models", { headers: bearer("parley-wrong") }, "token_rejected"],
  ["an unknown path", "/nothing/here/at/all", {}, "not_found"],
])("%s has its code in the request's line, too", async (_name, path, options, code) => {
  const { parley } = await startTokenScene();
  await postJson(parley.origin + path, undefined, { method: "GET", ...options });
  expect(await parley.logged(`"error":"${code}"`)).toContain('"msg":"request"');
});
