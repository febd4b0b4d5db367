import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { protoPath, startGrpc } from "../../support/grpc.ts";
import { runPythonGrpc } from "../../support/python-grpc.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { outcomeOf, SCRIPT_MS } from "../../support/scripts.ts";
import type { RecordedRequest } from "../../support/upstream.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const TEST_MS = 2 * SCRIPT_MS;
const oldProto = path("fixtures/chat_old.proto");
const oldScript = "test/clients/ask_grpc_old.py";

const messagesOf = ({ json }: RecordedRequest) =>
  (json as { messages: { content: string }[] }).messages.map(({ content }) => content);

describe("in Python", { tags: "python", timeout: TEST_MS }, () => {
  test("a client of before, compiled from the .proto of before, goes on in its conversation", async () => {
    const { target, upstream } = await startGrpc();
    const lines = ["天空 why?", "cost is $5", "new", "three"];
    const ran = await runPythonGrpc(oldScript, oldProto, { args: [target], lines });
    expect(ran.output).toMatch(
      /answer> echo: 天空 why\?\nat> (\w+) \w+\nanswer> echo: cost is \$5\nat> \1 \w+\nanswer> echo: three\nat> (?!\1)\w+ \w+\n/,
    );
    expect(ran.code).toBe(0);
    expect(upstream.requests.map(messagesOf)).toEqual([
      ["天空 why?"],
      ["天空 why?", "echo: 天空 why?", "cost is $5"],
      ["three"],
    ]);
  });

  test("a client of before is told in words what went wrong", async () => {
    const { target } = await startGrpc({ LANG: "zh_TW.UTF-8", SHARED_KEY: "token" });
    const ran = await runPythonGrpc(oldScript, oldProto, { args: [target], lines: ["hi"] });
    expect(ran.output).toMatch(/^failed with UNAUTHENTICATED: [一-鿿]/);
    expect(ran.output).not.toContain("Traceback");
  });

  test("the sample is answered, with a token and without", async () => {
    const { target, upstream } = await startGrpc();
    const args = ["one", "two"];
    for (const token of ["", OWN_KEY]) {
      const env = { PARLEY_GRPC: target, PARLEY_TOKEN: token };
      const ran = await runPythonGrpc("examples/ask-grpc.py", protoPath, { args, env });
      expect(ran.output).toMatch(/^echo: one\n--\necho: two\n-- \d+ tokens, conversation \w+\n$/);
      expect(ran.code).toBe(0);
    }
    expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    expect(upstream.requests.map(messagesOf).at(-1)).toEqual(["one", "echo: one", "two"]);
  });
});

describe("in JavaScript", { timeout: TEST_MS }, () => {
  const runSample = (target: string, token: string) => {
    const env = { PARLEY_GRPC: target, PARLEY_TOKEN: token, PARLEY_PROTO: protoPath };
    const sample = path("../../../examples/ask-grpc.mjs");
    return outcomeOf(spawn(process.execPath, [sample, "one", "two"], { env }));
  };

  test("the sample is answered", async () => {
    const { target, upstream } = await startGrpc();
    const ran = await runSample(target, OWN_KEY);
    expect(ran.output).toMatch(/^echo: one\n--\necho: two\n-- \d+ tokens, conversation \w+\n$/);
    expect(ran.code).toBe(0);
    expect(upstream.requests.map(messagesOf)).toEqual([["one"], ["one", "echo: one", "two"]]);
  });

  test("the sample says what went wrong", async () => {
    const { target } = await startGrpc({ SHARED_KEY: "token" });
    const ran = await runSample(target, "");
    expect(ran.output).toMatch(/^UNAUTHENTICATED: \w/);
    expect(ran.code).toBe(1);
  });
});
