/** What streams of /v1/responses may hold. */
import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { bearer, createClient, MODEL, sendPieces, startTokenScene } from "./support.ts";

const usage = { input_tokens: 64, output_tokens: 1_000, total_tokens: 1_064 };
const event = (type: string, fields: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const response = (status: string, more: object = {}) =>
  event(`response.${status}`, {
    response: { id: "resp_1", object: "response", model: MODEL, status, output: [], ...more },
  });
const created = response("created", { status: "in_progress", usage: null });
const delta = event("response.output_text.delta", {
  item_id: "msg_1",
  delta: "Hi",
  sequence_number: 1,
});
const completed = response("completed", { usage });
const incomplete = { usage, incomplete_details: { reason: "max_output_tokens" } };

const paid = { outcome: "completed", provenance: "reported", total_tokens: 1_064 };
const body = { model: MODEL, input: "hi", stream: true };

describe("a stream of responses", () => {
  const started = startTokenScene();
  test.each<[string, string, object]>([
    ["that was queued", response("queued") + created + delta + completed, paid],
    [
      "that is kept alive",
      created + event("keepalive", { sequence_number: 1 }) + delta + completed,
      paid,
    ],
    [
      "with a search of the web",
      created +
        event("response.web_search_call.in_progress", { item_id: "ws_1" }) +
        event("response.web_search_call.completed", { item_id: "ws_1" }) +
        delta +
        completed,
      paid,
    ],
    ["that is incomplete", created + delta + response("incomplete", incomplete), paid],
    [
      "that failed",
      created + delta + response("failed", { usage, error: { code: "x", message: "y" } }),
      paid,
    ],
    ["with [DONE] behind its end", `${created}${delta}${completed}data: [DONE]\n\n`, paid],
  ])("%s passes as it is, and is paid", async (_, text, row) => {
    const scene = await started;
    const url = `${scene.parley.origin}/v1/responses`;
    const bytes = Buffer.from(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) =>
      bytes.subarray(at * 7, at * 7 + 7),
    );
    for (const cut of [[text], pieces]) {
      scene.upstream.behave(sendPieces(cut));
      expect((await postJson(url, body, { headers: bearer(scene.token) })).text).toBe(text);
    }
    expect(scene.rows().slice(-2)).toMatchObject([row, row]);
  });

  test("ends with an event that is an error", async () => {
    const scene = await started;
    const error = { code: "server_error", message: "gone", param: null, sequence_number: 1 };
    const begun = event("response.output_text.delta", { delta: "Hi", sequence_number: 0 });
    scene.upstream.behave(sendPieces([begun, event("error", error), completed]));
    const url = `${scene.parley.origin}/v1/responses`;
    const { text } = await postJson(url, body, { headers: bearer(scene.token) });
    expect(text.startsWith(begun)).toBe(true);
    const last = text.trimEnd().split("\n").at(-1)?.replace("data: ", "") ?? "";
    expect(JSON.parse(last)).toEqual({ type: "error", ...error });
    expect(scene.rows().at(-1)).toMatchObject({ outcome: "interrupted" });
  });
});

test("a client may write the base URL with a slash at its end", async () => {
  const scene = await startTokenScene();
  const client = createClient(`${scene.parley.origin}/v1/`, scene.token);
  const { output_text } = await client.responses.create({ model: MODEL, input: "hi" });
  expect(output_text).toBe("echo: hi");
});
