/** A service that refuses `stream_options`, which Parley adds to every stream. */
import { describe, expect, test } from "vitest";
import { openStream, postJson } from "../support/http.ts";
import { says } from "../support/refusals.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";
import { answer, type Choose } from "../support/upstream.ts";
import { bearer } from "./openai/support.ts";

const WORDS = "Extra inputs are not permitted";
const forms = [
  ["a flat object", 400, { object: "error", message: WORDS, type: "BadRequestError", code: 400 }],
  ["details", 422, { detail: [{ loc: ["body", "stream_options"], msg: WORDS }] }],
  ["its name", 400, { error: { message: "Unknown parameter: 'stream_options.include_usage'." } }],
] as const;

const hasOption = (json: unknown) =>
  typeof json === "object" && json !== null && "stream_options" in json;

const refusing =
  (status: number, body: unknown): Choose =>
  ({ json }) =>
    hasOption(json) ? says(status, body) : answer;

const messages = [{ role: "user", content: "hi" }];
const big = "12345678901234567890";
const streams: readonly (readonly [path: string, body: string])[] = [
  ["/", JSON.stringify({ user_content: "hi", stream: true })],
  ["/travel/chat", JSON.stringify({ content: "hi", stream: true })],
  ["/ask/new", JSON.stringify({ prompt: "hi", stream: true })],
  ["/chat_complete", JSON.stringify({ prompt: "hi", generate_params: { stream: true } })],
  [
    "/v1/chat/completions",
    `{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":${big},"stream":true}`,
  ],
  [
    "/v1/messages",
    `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"stream":true}`,
  ],
  ["/v1/completions", JSON.stringify({ model: "m", prompt: "hi", stream: true })],
];

describe.each(forms)("refused with %s", (_, status, refusal) => {
  test.each(streams)("%s is answered without it, and asks no more for it", async (path, body) => {
    const scene = await startScene({}, { behaviour: refusing(status, refusal) });
    const headers = {
      ...bearer(OWN_KEY),
      "openai-token": OWN_KEY,
      "content-type": "application/json",
    };
    for (let time = 0; time < 2; time += 1) {
      const stream = await openStream(`${scene.parley.origin}${path}`, body, { headers });
      expect(stream.status).toBe(200);
      expect(await stream.text()).toMatch(/"(?:hi|echo: hi)"|: "?hi/);
    }
    const sent = scene.upstream.requests;
    expect(sent.map(({ json }) => hasOption(json))).toEqual([true, false, false]);
    if (path.startsWith("/v1/chat")) expect(sent[1]?.bodyText).toContain(`"seed":${big}`);
  });
});

describe("a client that set it itself", () => {
  test.each([{ include_usage: true }, { include_usage: false }, { include_obfuscation: false }])(
    "gets the refusal: %j",
    async (stream_options) => {
      const scene = await startScene({}, { behaviour: refusing(forms[0][1], forms[0][2]) });
      const body = { model: "m", messages, stream: true, stream_options };
      const url = `${scene.parley.origin}/v1/chat/completions`;
      const reply = await postJson(url, body, { headers: bearer(OWN_KEY) });
      expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(WORDS)]);
      expect(scene.upstream.requests).toHaveLength(1);
    },
  );
});

test("another field that is refused is told at once, and nothing is learned from what fails again", async () => {
  const other = { detail: [{ loc: ["body", "foo"], msg: WORDS }] };
  const scene = await startScene({}, { behaviour: says(422, other) });
  const url = `${scene.parley.origin}/v1/chat/completions`;
  const ask = () =>
    postJson(url, { model: "m", messages, stream: true }, { headers: bearer(OWN_KEY) });
  expect((await ask()).status).toBe(422);
  expect(scene.upstream.requests).toHaveLength(1);
  scene.upstream.behave(says(400, forms[0][2]));
  expect((await ask()).status).toBe(400);
  scene.upstream.behave(answer);
  expect((await ask()).status).toBe(200);
  expect(scene.upstream.requests.map(({ json }) => hasOption(json))).toEqual([
    true,
    true,
    false,
    true,
  ]);
});

test.each([
  [400, "property streamOptions should not exist"],
  [400, "Unknown parameter."],
  [400, "Unrecognized arguments"],
  [422, "extra_forbidden"],
  [422, "stream options are not supported by this model"],
  [403, "stream_options is not allowed"],
  [404, "include_usage unsupported"],
])("%i %s is about it", async (status, message) => {
  const scene = await startScene({}, { behaviour: refusing(status, { error: { message } }) });
  const reply = await postJson(scene.url, { user_content: "hi", stream: true });
  expect(reply.status).toBe(200);
});
