import { setImmediate, setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AnswerEvent } from "../../src/core/call/messages.ts";
import { ProxyError } from "../../src/core/errors.ts";
import * as faults from "../support/faults.ts";
import {
  answer,
  type Behaviour,
  composeAnswer,
  goodHeaders,
  type ScriptedUpstream,
  startUpstream,
} from "../support/upstream.ts";
import { type Asking, createAsking, question, rejection } from "./asking.ts";

const runs = 100;
const closedWithinMs = 100;
/** For what has no figure of its own. */
const disconnectPolicy = (label: string) => ({ label, timeoutMs: 2_000 });

let upstream: ScriptedUpstream;
let asking: Asking;
beforeEach(async () => {
  upstream = await startUpstream();
  asking = createAsking({ url: upstream.url });
});
afterEach(async () => {
  await asking.close();
  await upstream.close();
});

const commentOnly: Behaviour = {
  name: "a comment and no more",
  run: async ({ request, response, write }) => {
    response.writeHead(200, goodHeaders(request, "text/event-stream"));
    await write(": PROCESSING\n\n");
  },
};

type Leave = (client: AbortController, run: number) => Promise<void>;

/** Asks, reads so many events, leaves, and goes on reading as a server would. */
const askWhole: Leave = async (client, run) => {
  const whole = rejection(asking.complete(question, client.signal));
  await upstream.waitFor(() => upstream.requests.length === run, disconnectPolicy("the question"));
  client.abort();
  expect((await whole).code).toBe("canceled");
};
const askStream =
  (eventsBefore: number): Leave =>
  async (client, run) => {
    const stream = asking.stream(question, client.signal);
    const ended = rejection(
      stream.then(async (events) => {
        let seen = 0;
        if (eventsBefore === 0) client.abort();
        for await (const _ of events) if (++seen === eventsBefore) client.abort();
      }),
    );
    if (eventsBefore < 0) {
      await upstream.waitFor(
        () => upstream.requests.length === run,
        disconnectPolicy("the question"),
      );
      client.abort();
    }
    expect((await ended).code).toBe("canceled");
  };

describe("a client that leaves closes the upstream", () => {
  const moments: readonly (readonly [string, Behaviour, Leave])[] = [
    ["a whole answer, before its head", faults.silent, askWhole],
    ["a whole answer, in its middle", faults.stallMidStream, askWhole],
    ["a stream, before its head", faults.silent, askStream(-1)],
    ["a stream, after its head", faults.stallAfterHeaders, askStream(-1)],
    ["a stream, after a comment", commentOnly, askStream(0)],
    ["a stream, after its first event", faults.stallMidStream, askStream(1)],
    ["a stream, between two texts", faults.stallMidStream, askStream(2)],
    ["a stream that flows", faults.endlessStream(1_000_000_000), askStream(40)],
  ];
  test.each(moments)(
    `${runs} of ${runs} times within ${closedWithinMs} ms: %s`,
    async (_, behaviour, leave) => {
      upstream.behave(behaviour);
      let inTime = 0;
      for (let run = 1; run <= runs; run += 1) {
        const client = new AbortController();
        const isClosed = () => upstream.closedEarly.count === run;
        const timely = Promise.withResolvers<boolean>();
        client.signal.addEventListener("abort", () => {
          void afterMs(closedWithinMs).then(() => timely.resolve(isClosed()));
        });
        await leave(client, run);
        const closed = upstream.waitFor(isClosed, disconnectPolicy("the close"));
        if (await Promise.race([closed.then(() => true), timely.promise])) inTime += 1;
        await closed;
      }
      expect(inTime).toBe(runs);
      expect(upstream.open()).toBe(0);
    },
  );

  test("who has left before asking is not asked for", async () => {
    const gone = AbortSignal.abort();
    expect((await rejection(asking.complete(question, gone))).code).toBe("canceled");
    expect((await rejection(asking.stream(question, gone))).code).toBe("canceled");
    expect(upstream.requests).toEqual([]);
  });

  test("while a refusal is being read it is still the client that ended the call", async () => {
    upstream.behave({
      name: "half a refusal",
      run: async (exchange) => {
        exchange.response.writeHead(500, { "content-type": "application/json" });
        await exchange.write('{"error":');
      },
    });
    for (const ask of [asking.complete, asking.stream]) {
      const client = new AbortController();
      const ended = rejection(ask(question, client.signal));
      await upstream.waitFor(() => upstream.open() === 1, disconnectPolicy("the question"));
      // the head is on its way: it comes before the abort often enough to tell the two apart
      await setImmediate();
      await setImmediate();
      client.abort();
      expect((await ended).code).toBe("canceled");
      await upstream.waitFor(() => upstream.open() === 0, disconnectPolicy("the close"));
    }
  });

  test("our own reason for ending a call is what it ends with", async () => {
    upstream.behave(faults.stallMidStream);
    const reason = new ProxyError("draining");
    for (const ask of [asking.complete, readAll]) {
      const call = new AbortController();
      const ended = rejection(ask(question, call.signal));
      await upstream.waitFor(() => upstream.open() === 1, disconnectPolicy("the question"));
      call.abort(reason);
      expect(await ended).toBe(reason);
      await upstream.waitFor(() => upstream.open() === 0, disconnectPolicy("the close"));
    }
  });

  test("a signal that aborts after the end changes nothing", async () => {
    const client = new AbortController();
    const whole = await asking.complete(question, client.signal);
    const events = await readAll(question, client.signal);
    client.abort();
    expect(events.at(-1)).toMatchObject({ completion: { text: whole.text } });
    await upstream.waitFor(() => upstream.open() === 0, disconnectPolicy("the end"));
    expect(upstream.closedEarly.count).toBe(0);
  });
});

describe("a reader that stops reading", () => {
  test.each([1, 2, 3, 50])("after %i events closes the upstream", async (count) => {
    upstream.behave(faults.endlessStream(1_000_000_000));
    let seen = 0;
    for await (const _ of await asking.stream()) if (++seen === count) break;
    await upstream.waitFor(() => upstream.closedEarly.count === 1, disconnectPolicy("the close"));
    expect(upstream.open()).toBe(0);
  });

  test("because it broke closes the upstream", async () => {
    upstream.behave(faults.stallMidStream);
    const breaks = (async () => {
      for await (const event of await asking.stream()) {
        if (event.type === "text-delta") throw new RangeError("the reader broke");
      }
    })();
    await expect(breaks).rejects.toThrow("the reader broke");
    await upstream.waitFor(() => upstream.closedEarly.count === 1, disconnectPolicy("the close"));
  });
});

describe("after [DONE]", () => {
  const endsWith = (
    more: (write: (text: string) => Promise<void>) => Promise<void>,
  ): Behaviour => ({
    name: "goes on after [DONE]",
    run: async (exchange) => {
      const { request, response, write } = exchange;
      response.writeHead(200, goodHeaders(request, "text/event-stream"));
      for (const event of composeAnswer(request).events) await write(event);
      await more(write);
    },
  });

  test("an upstream that never ends its answer delays nobody and is closed soon", async () => {
    upstream.behave(endsWith(async () => undefined));
    expect((await readAll()).at(-1)).toMatchObject({ type: "answer-end" });
    expect(upstream.open()).toBe(1);
    await upstream.waitFor(() => upstream.open() === 0, disconnectPolicy("the close"));
  });

  test("an upstream that goes on and on is closed soon", async () => {
    upstream.behave(
      endsWith(async (write) => {
        for (;;) await write(": and another thing\n\n".repeat(5_000));
      }),
    );
    expect((await readAll()).at(-1)).toMatchObject({ type: "answer-end" });
    await upstream.waitFor(() => upstream.open() === 0, disconnectPolicy("the close"));
  });

  test("an end that comes a little later leaves the connection to the next question", async () => {
    const sockets = new Set<unknown>();
    for (let round = 1; round <= 10; round += 1) {
      const read = Promise.withResolvers<void>();
      upstream.behave({
        name: "ends once it was read",
        run: async (exchange) => {
          const { request, response } = exchange;
          sockets.add(response.socket);
          response.writeHead(200, goodHeaders(request, "text/event-stream"));
          for (const event of composeAnswer(request).events) await exchange.write(event);
          await read.promise;
          response.end();
        },
      });
      expect((await readAll()).at(-1)).toMatchObject({ type: "answer-end" });
      read.resolve();
      await upstream.waitFor(() => upstream.open() === 0, disconnectPolicy("the end"));
    }
    expect(upstream.closedEarly.count).toBe(0);
    // where the next question was quicker than the end there is a second connection
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  test("what comes is no part of the answer", async () => {
    upstream.behave(
      endsWith(async (write) => {
        await write('data: {"error":{"message":"too late"}}\n\n');
        await write('data: {"choices":[{"delta":{"content":"too late"}}]}\n\n');
      }),
    );
    const events = await readAll();
    expect(JSON.stringify(events)).not.toContain("too late");
    upstream.behave(answer);
    expect((await readAll()).at(-1)).toMatchObject({ type: "answer-end" });
  });
});

/** Resolves that much later, and when everything else that was due by then has happened. */
async function afterMs(ms: number): Promise<void> {
  await wait(ms);
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}

async function readAll(request = question, signal?: AbortSignal): Promise<AnswerEvent[]> {
  return Array.fromAsync(await asking.stream(request, signal));
}
