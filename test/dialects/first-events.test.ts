/** An error in place of the first event of a stream: it has its status, and another key may do. */
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { startGrpc } from "../support/grpc.ts";
import { openStream, postJson } from "../support/http.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";
import { answer, type Behaviour, type Choose } from "../support/upstream.ts";
import { connect, readText } from "../support/websocket.ts";

const streams: readonly (readonly [path: string, body: object])[] = [
  ["/", { user_content: "hi", stream: true }],
  ["/travel/chat", { content: "hi", stream: true }],
  ["/ask/new", { prompt: "hi", stream: true }],
  ["/chat_complete", { prompt: "hi", generate_params: { stream: true } }],
];
/** In pieces that are cut within the error, after its head. */
const says = (...pieces: readonly string[]): Behaviour => ({
  name: "an error as an event",
  run: async ({ response, write }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const piece of pieces) await write(piece);
    response.end("data: [DONE]\n\n");
  },
});
const failing = (error: object) => {
  const event = `event: error\ndata: ${JSON.stringify({ error })}\n\n`;
  return says(event.slice(0, 9), event.slice(9, 30), event.slice(30));
};
const noModel = failing({ code: 404, message: "no such model" });
const inChoice = (content: string, finish_reason: string | null) =>
  says(
    `data: ${JSON.stringify({
      choices: [{ delta: { content }, finish_reason, error: { code: 429, message: "slow down" } }],
    })}\n\n`,
  );
const limited: Choose = ({ headers }) =>
  headers.authorization === "Bearer k-limited" ? inChoice("", null) : answer;

describe.each(streams)("%s", (path, body) => {
  test.each<[string, Behaviour, number, string]>([
    ["about the request", noModel, 400, "upstream_refused"],
    ["about the upstream", failing({ message: "gone" }), 502, "upstream_failed"],
    ["in its choice", inChoice("", null), 429, "upstream_rate_limited"],
    ["in a choice that it ends", inChoice("Hal", "error"), 429, "upstream_rate_limited"],
  ])("%s", async (_, behaviour, code, name) => {
    const scene = await startScene({}, { behaviour });
    const headers = { authorization: `Bearer ${OWN_KEY}`, "openai-token": OWN_KEY };
    const reply = await postJson(`${scene.parley.origin}${path}`, body, { headers });
    expect([reply.status, reply.text]).toEqual([code, expect.stringContaining(name)]);
    expect(reply.text.includes("no such model")).toBe(behaviour === noModel);
    expect(scene.upstream.requests).toHaveLength(1);
  });

  test("another key does it, and the first one rests", async () => {
    const scene = await startScene(
      { API_KEY: "k-limited,k-good", CHATS_ACCESS: "open" },
      { behaviour: limited },
    );
    for (let time = 0; time < 3; time += 1) {
      const stream = await openStream(`${scene.parley.origin}${path}`, body);
      expect([stream.status, (await stream.text()).includes("hi")]).toEqual([200, true]);
    }
    const used = scene.upstream.requests.map(({ headers }) => headers.authorization);
    expect(used).toEqual(["Bearer k-limited", ...Array(3).fill("Bearer k-good")]);
  });

  test("a refusal of `stream_options` is asked again without it", async () => {
    const refusal = { message: "Unrecognized request argument: stream_options" };
    const scene = await startScene(
      { CHATS_ACCESS: "open" },
      { behaviour: ({ json }) => ("stream_options" in Object(json) ? failing(refusal) : answer) },
    );
    for (let time = 0; time < 2; time += 1) {
      const stream = await openStream(`${scene.parley.origin}${path}`, body);
      expect([stream.status, (await stream.text()).includes("hi")]).toEqual([200, true]);
    }
    expect(scene.upstream.requests).toHaveLength(3);
  });
});

test.each([
  ["no JSON", says("data: {no\n\n"), "upstream_bad_answer"],
  ["an end", says(), "upstream_failed"],
])("%s in its place is a failure with a status, too", async (_, behaviour, name) => {
  const scene = await startScene({}, { behaviour });
  const reply = await postJson(scene.url, { user_content: "hi", stream: true });
  expect([reply.status, reply.text]).toEqual([502, expect.stringContaining(name)]);
});

test("over WebSocket the question is refused, and another key does it", async () => {
  const scene = await startScene({ API_KEY: "k-limited,k-good" }, { behaviour: noModel });
  const client = await connect(`${scene.parley.origin}/ask`);
  client.send("<|ask|>$new$new$hi");
  const text = await client.next();
  expect(text).toContain("no such model");
  scene.upstream.behave(limited);
  client.send("<|ask|>$new$new$hi");
  expect((await readText(client)).text).toBe("echo: hi");
  await client.close();
});

test("over gRPC it has the status of the refusal, and another key does it", async () => {
  const scene = await startGrpc({ API_KEY: "k-limited,k-good" }, { behaviour: noModel });
  const refused = await scene.client.askInVain({ prompt: "hi" });
  expect(refused.code).toBe(status.INVALID_ARGUMENT);
  expect(refused.details).toContain("no such model");
  scene.upstream.behave(limited);
  expect(JSON.stringify(await scene.client.ask({ prompt: "hi" }))).toContain("echo");
});
