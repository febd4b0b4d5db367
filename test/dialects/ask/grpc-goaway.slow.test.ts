import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { closeAfterFile } from "../../support/cleanup.ts";
import { type Answer, createGrpcClient, startGrpc } from "../../support/grpc.ts";
import { deadline } from "../../support/http.ts";

const WAIT_MS = 10_000;
const PROMPT = { prompt: "x" };

test.each([
  ["pick_first", undefined],
  ["round_robin", JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] })],
])(
  "calls that are on their way when a port closes are made at another, once (%s)",
  async (_name, config) => {
    const [first, second] = [await startGrpc(), await startGrpc()];
    const options = config === undefined ? {} : { "grpc.service_config": config };
    const targets = `ipv4:${first.target},${second.target}`;
    const client = closeAfterFile(createGrpcClient(targets, undefined, options));
    await client.ask(PROMPT);
    const asked: Promise<Answer>[] = [client.ask(PROMPT)];
    let closed = false;
    const [grpc] = first.parley.parley.listeners;
    const closing = grpc?.listener.closePort().then(() => {
      closed = true;
    });
    for (let late = 0; late < 20; late += closed ? 1 : 0) {
      asked.push(client.ask(PROMPT));
      await nextTurn();
    }
    await closing;
    const answers = await deadline(Promise.all(asked), WAIT_MS, "all answers");
    expect(answers.filter(({ text }) => text !== "echo: x")).toEqual([]);
    const made = [first, second].map(({ upstream }) => upstream.requests.length);
    expect(made[0]).toBeGreaterThan(0);
    expect(made[1]).toBeGreaterThan(0);
    expect((made[0] ?? 0) + (made[1] ?? 0)).toBe(asked.length + 1);
  },
);
