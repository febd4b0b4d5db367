import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { firstTokenAfter, paced, silent, stallMidStream } from "../../support/faults.ts";
import { type GrpcScene, startGrpc } from "../../support/grpc.ts";
import { framed, openAsk, openSession, requestOf } from "../../support/grpc-raw.ts";
import { deadline, postJson } from "../../support/http.ts";
import { until } from "../../support/process.ts";
import { expectPrompt, neighborCall } from "../../support/timing.ts";
import { type Behaviour, composeAnswer, goodHeaders } from "../../support/upstream.ts";

const question = { prompt: "one two three four five" };
const WAIT_MS = 20_000;
const CANCELS = 40;

const closed = ({ upstream }: GrpcScene, count: number) =>
  upstream.waitFor(() => upstream.closedEarly.count === count, {
    label: "the upstream is closed",
    timeoutMs: WAIT_MS,
  });

test(`a cancel closes the upstream at once, ${CANCELS} times`, async () => {
  const scene = await startGrpc({}, { behaviour: stallMidStream });
  const { client, upstream, parley } = scene;
  const tookMs: number[] = [];
  const neighborsMs: number[] = [];
  for (let run = 1; run <= CANCELS; run += 1) {
    const stream = client.open(question);
    stream.on("error", () => undefined);
    await deadline(new Promise((resolve) => stream.once("data", resolve)), WAIT_MS, "a delta");
    neighborsMs.push(await neighborCall(parley.origin));
    const sinceMs = performance.now();
    stream.cancel();
    await closed(scene, run);
    tookMs.push((upstream.closedEarly.atMs.at(-1) ?? Number.NaN) - sinceMs);
  }
  expectPrompt("gRPC, canceled", tookMs, neighborsMs);
  await until(() => parley.parley.openCalls.count === 0, { label: "no call", timeoutMs: WAIT_MS });
  const { text } = await postJson(`${parley.origin}/metrics`, undefined, { method: "GET" });
  expect(text).toContain(`parley_calls_total{dialect="ask",outcome="canceled"} ${CANCELS}`);
  expect(text).toContain(`parley_http_requests_total{route="ask grpc",status="499"} ${CANCELS}`);
});

describe.concurrent("a call", () => {
  test("canceled before the upstream has answered is canceled there, too", async () => {
    const scene = await startGrpc({}, { behaviour: silent });
    const stream = scene.client.open(question);
    stream.on("error", () => undefined);
    await scene.upstream.waitFor(() => scene.upstream.open() === 1, {
      label: "asked",
      timeoutMs: WAIT_MS,
    });
    stream.cancel();
    await closed(scene, 1);
    expect(await scene.parley.logged('"ask grpc"')).toMatch(/"status":499.*"outcome":"canceled"/);
  });

  test.each([
    ["before the answer", silent],
    ["within it", stallMidStream],
    ["while it is awaited", firstTokenAfter(60_000)],
  ])(
    "whose deadline passes %s is DEADLINE_EXCEEDED and ends the upstream",
    async (_, behaviour) => {
      const scene = await startGrpc({}, { behaviour });
      const refused = await scene.client.askInVain(question, { deadline: Date.now() + 300 });
      expect(refused.code).toBe(status.DEADLINE_EXCEEDED);
      await closed(scene, 1);
      expect(await scene.parley.logged('"ask grpc"')).toMatch(/"status":(504|499).*"canceled"/);
    },
  );

  test("whose deadline passes while nobody reads ends the upstream all the same", async () => {
    const text = "x".repeat(1_000_000);
    const endless: Behaviour = {
      name: "a lot, and no end",
      run: async ({ request, response, write }) => {
        const { events } = composeAnswer(request, { text: () => text });
        response.writeHead(200, goodHeaders(request, "text/event-stream"));
        for (const event of events.slice(0, -4)) await write(event);
      },
    };
    const scene = await startGrpc({}, { behaviour: endless });
    const session = await openSession(scene.parley.ports.grpc ?? 0);
    const stream = openAsk(session, { "grpc-timeout": "500m" });
    stream.end(framed(requestOf("slow")));
    await closed(scene, 1);
    expect(stream.closed).toBe(false);
    session.destroy();
    expect(await scene.parley.logged('"ask grpc"')).toContain('"outcome":"canceled"');
  });

  test("with time enough is answered", async () => {
    const { client } = await startGrpc({}, { behaviour: paced(5) });
    const { text } = await client.ask(question, { deadline: Date.now() + 30_000 });
    expect(text).toBe(`echo: ${question.prompt}`);
  });

  test("that is left may be read on for what it costs", async () => {
    const scene = await startGrpc({ ON_DISCONNECT: "drain:10" }, { behaviour: paced(20) });
    const stream = scene.client.open(question);
    stream.on("error", () => undefined);
    await deadline(new Promise((resolve) => stream.once("data", resolve)), WAIT_MS, "a delta");
    stream.cancel();
    const metrics = async () =>
      (await postJson(`${scene.parley.origin}/metrics`, undefined, { method: "GET" })).text;
    await until(async () => (await metrics()).includes('direction="completion"'), {
      label: "the tokens are known",
      timeoutMs: WAIT_MS,
    });
    expect(scene.upstream.closedEarly.count).toBe(0);
  });

  test("that is one of many on a connection has its own answer", async () => {
    const { client } = await startGrpc({}, { behaviour: paced(1) });
    const prompts = Array.from({ length: 100 }, (_, index) => `number ${index}`);
    const answers = await Promise.all(prompts.map((prompt) => client.ask({ prompt })));
    expect(answers.map(({ text }) => text)).toEqual(prompts.map((prompt) => `echo: ${prompt}`));
  });
});
