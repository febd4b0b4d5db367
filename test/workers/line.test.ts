import { MessageChannel } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { ProxyError } from "../../src/core/errors.ts";
import { createLine } from "../../src/workers/line.ts";

interface Deeds {
  add(a: number, b: number): Promise<number>;
  refuse(): Promise<void>;
  break(): Promise<void>;
  note(text: string): void;
  never(): Promise<void>;
}

function connect() {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const noted: string[] = [];
  const deeds: Deeds = {
    add: async (a, b) => a + b,
    refuse: async () => {
      const facts = { limit: 3 };
      throw new ProxyError("rate_limited", { retryAfterMs: 70, params: facts, facts });
    },
    break: async () => {
      throw new TypeError("sk-secret in a message");
    },
    note: (text) => void noted.push(text),
    never: () => new Promise(() => undefined),
  };
  createLine(port2, deeds);
  return { line: createLine<Deeds, Record<string, never>>(port1, {}), noted };
}

test("questions are answered, and what is told before them is heard before", async () => {
  const { line, noted } = connect();
  line.tell("note", "a");
  line.tell("note", "b");
  expect(await Promise.all([line.ask("add", 1, 2), line.ask("add", 3, 4)])).toEqual([3, 7]);
  expect(noted).toEqual(["a", "b"]);
});

test("our own errors come over as they are, others as unforeseen and without their text", async () => {
  const { line } = connect();
  const facts = { limit: 3 };
  const ours = { code: "rate_limited", retryAfterMs: 70, params: facts, facts };
  await expect(line.ask("refuse")).rejects.toMatchObject(ours);
  const thrown: unknown = await line.ask("break").catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: "internal" });
  expect(String(thrown)).not.toContain("sk-secret");
});

test("whoever waits for a thread that is gone is told, and so is whoever asks later", async () => {
  const { line } = connect();
  const waiting = line.ask("never");
  line.cut();
  await expect(waiting).rejects.toThrow("internal");
  await expect(line.ask("add", 1, 2)).rejects.toThrow("internal");
});
