/** The words of a refusal are found in whatever form a service writes them. */
import { expect, test } from "vitest";
import { parseRefusal, wordsIn } from "../../src/upstream/refusal-words.ts";

const words = "no such field";

test.each<[string, unknown]>([
  ["of OpenAI", { error: { message: words } }],
  ["in a list of errors", { success: false, errors: [{ code: 7003, message: words }] }],
  ["by field", { errors: { stream: [words] } }],
  ["of a gateway", { fault: { faultstring: words, detail: { errorcode: "x" } } }],
  ["of a problem", { type: "about:blank", title: "Bad Request", status: 400, detail: words }],
  ["with a number beside", { error_code: 17, error_msg: words }],
  ["with a number above", { errcode: 40_001, errmsg: words }],
  ["in a status", { base_resp: { status_code: 1004, status_msg: words } }],
  ["in an exception", { exception: words, status: 400 }],
  ["in camel case", { errorMessage: words, errorType: "x" }],
  ["within an error's errors", { error: { code: 400, errors: [{ message: words }] } }],
  ["in an inner error", { error: { code: "x", innererror: { message: words } } }],
  ["as an object", { error: { message: { text: words } } }],
  ["of a validator", { message: [words], error: "Bad Request", statusCode: 400 }],
  ["as a list", [words]],
  ["in data", { status: "error", data: { message: words } }],
  ["in a result", { result: { error: words } }],
  ["in capitals", { Error: { Message: words } }],
])("%s", (_, body) => {
  expect(wordsIn(parseRefusal(JSON.stringify(body)))).toBe(words);
});

test.each([
  ["text", words],
  ["text as JSON", JSON.stringify(words)],
  ["text with a mark", `\ufeff${words}\n`],
  ["an event", `event: error\ndata: {"error":"${words}"}\n\n`],
  ["an event without a blank", `data:{"detail":"${words}"}`],
  ["JSON that was cut", `{"error":{"code":1,"message":"${words}`],
])("%s", (_, body) => {
  expect(wordsIn(parseRefusal(body))).toBe(words);
});

test.each([
  "<html>Bad Gateway</html>",
  "<?xml version='1.0'?><e/>",
  "",
  "{}",
  "[]",
  "null",
  "42",
  '{"error":null}',
  '{"error":{}}',
  '{"status":400,"code":7}',
])("%s says nothing to people", (body) => {
  expect(wordsIn(parseRefusal(body))).toBeNull();
});
