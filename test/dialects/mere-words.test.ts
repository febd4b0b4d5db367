/** A 200 whose body is words in place of an answer is an error, in whatever form they come. */
import { expect, test } from "vitest";
import { postJson } from "../support/http.ts";
import { says } from "../support/refusals.ts";
import { OPERATOR_KEY, OWN_KEY, startScene } from "../support/scene.ts";
import { question, rowsIn } from "./openai/support.ts";
import { others } from "./routes.ts";

const words = `no such model ${OPERATOR_KEY}`;
const asked = [["/v1/chat/completions", question], ...others] as const;

test.each<[string, number, object]>([
  ["a detail", 502, { detail: words }],
  ["details of fields", 502, { detail: [{ loc: ["body"], msg: words }] }],
  ["a message and a code", 404, { code: 404, message: words, data: undefined }],
  ["a message and a name", 429, { message: words, type: "rate_limit_error" }],
  ["a msg", 400, { success: false, status: "400", msg: words }],
  ["a number and its words", 502, { error_code: 17, error_msg: words }],
  [
    "a status beside nothing",
    502,
    {
      id: "x",
      choices: null,
      object: "chat.completion",
      base_resp: { status_code: 1004, status_msg: words },
    },
  ],
  ["several errors", 502, { errors: [{ message: words }] }],
])("%s", async (_, status, body) => {
  const scene = await startScene({ ACCESS_TOKEN: "open" }, { behaviour: says(200, body) });
  for (const [path, json] of asked) {
    const headers = { authorization: `Bearer ${OWN_KEY}`, "access-token": "open" };
    const reply = await postJson(`${scene.parley.origin}${path}`, json, { headers });
    // beyond /v1 all that the service refuses is 400
    expect([path, reply.status]).toEqual([
      path,
      path === "/v1/chat/completions" || status !== 404 ? status : 400,
    ]);
    expect(reply.text).not.toContain(OPERATOR_KEY);
  }
  const free = { outcome: "failed", total_tokens: null, cost: null };
  expect(rowsIn(scene.parley.config.DATA_DIR)).toMatchObject(asked.map(() => free));
});

test.each([
  { object: "list", data: [], message: "two models are hidden" },
  { results: [{ flagged: false }], msg: "checked" },
  { data: [], base_resp: { status_code: 0, status_msg: "success" } },
  { id: "x", usage: { total_tokens: 3 }, message: "of another endpoint" },
])("an answer may have words beside it: %j", async (body) => {
  const scene = await startScene({}, { behaviour: says(200, body) });
  const url = `${scene.parley.origin}/v1/embeddings`;
  const headers = { authorization: `Bearer ${OWN_KEY}` };
  const reply = await postJson(url, { model: "m", input: "x" }, { headers });
  expect([reply.status, reply.json]).toEqual([200, body]);
});
