import { describe, expect, test } from "vitest";
import type { Call, CallSignal, Principal } from "../../../src/core/call/call.ts";
import { createDisconnectPolicy } from "../../../src/core/call/disconnect-policy.ts";
import { createKeyRing } from "../../../src/core/call/key-ring.ts";
import type { AnswerEvent, ChatRequest, Completion } from "../../../src/core/call/messages.ts";
import { createPipeline } from "../../../src/core/call/pipeline.ts";
import { ProxyError } from "../../../src/core/errors.ts";
import type { CallRecord } from "../../../src/core/ports.ts";
import type { AskOptions, Upstream } from "../../../src/core/upstream-ports.ts";
import {
  createConcurrencyLimiter,
  createOpenCallLimiter,
} from "../../../src/limits/concurrency.ts";
import { createMemoryBreakers } from "../../../src/limits/memory-breakers.ts";
import { createMemoryCooldowns } from "../../../src/limits/memory-cooldowns.ts";
import { answerRoom } from "../../support/rooms.ts";
import { onlyRouting, onlyTarget } from "../../support/targets.ts";
import { createVirtualClock } from "../virtual-clock.ts";

const bucket = "192.0.2.1";
const visitor: Principal = { kind: "visitor", bucket };
const ownKey = "sk-own-caller-0123456789";
const caller: Principal = { kind: "own-key", bucket, key: ownKey };
const operatorKey = "sk-operator-0123456789";
const question: ChatRequest = {
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "canary-question" }],
};
const usage = { promptTokens: 3, completionTokens: 2, totalTokens: 5, cachedTokens: 0 };
const completion: Completion = {
  text: "canary-answer",
  model: "gpt-4o-mini-2024-07-18",
  finishReason: "stop",
  usage,
  upstreamId: "chatcmpl-1",
};
const start: AnswerEvent = { type: "answer-start", model: completion.model };
const delta = (text: string): AnswerEvent => ({ type: "text-delta", text });
const end: AnswerEvent = { type: "answer-end", completion };
const wholeAnswer = [start, delta("canary-"), delta("answer"), end];

type Step = AnswerEvent | ProxyError | (() => void);

/** What an upstream does at one point of a stream: say something, break, or wait for the rest. */
function happen(step: Step, signal: CallSignal): AnswerEvent | null {
  if (signal.aborted) {
    throw signal.reason instanceof ProxyError ? signal.reason : new ProxyError("canceled");
  }
  if (step instanceof ProxyError) throw step;
  if (typeof step !== "function") return step;
  step();
  return null;
}

interface Script {
  /** What an attempt does before it answers; throws to fail. */
  readonly onAsk?: (options: AskOptions) => void;
  readonly events?: readonly Step[];
  /** Leases are granted elsewhere: a promise of each comes at once, the lease later. */
  readonly leaseElsewhere?: boolean;
  /** What admission does before it grants a call; throws to refuse. */
  readonly onAdmit?: () => void;
}

function createScene(
  script: Script = {},
  streamLimit = 1,
  keys: readonly string[] = [operatorKey],
) {
  const clock = createVirtualClock();
  const records: CallRecord[] = [];
  const toCaller: CallRecord[] = [];
  const asked: string[] = [];
  let closed = 0;
  const onAsk = (options: AskOptions) => {
    asked.push(options.key);
    script.onAsk?.(options);
  };
  const upstream: Upstream = {
    complete: async (_, options) => {
      onAsk(options);
      clock.advance(40);
      return completion;
    },
    stream: async (_, options) => {
      onAsk(options);
      return play(options.signal);
    },
  };
  async function* play(signal: CallSignal) {
    try {
      for (const step of script.events ?? wholeAnswer) {
        clock.advance(10);
        const event = happen(step, signal);
        if (event !== null) yield event;
      }
    } finally {
      closed += 1;
    }
  }
  const leases = createConcurrencyLimiter(streamLimit);
  const concurrency = script.leaseElsewhere
    ? { ...leases, enter: async (name: string) => leases.enter(name) }
    : leases;
  const keyRing = createKeyRing(keys, createMemoryCooldowns(clock), (key) => key);
  const pipeline = createPipeline({
    routing: onlyRouting(onlyTarget({ typed: upstream, keyRing })),
    breakers: createMemoryBreakers(clock),
    patienceMs: 900_000,
    openCalls: createOpenCallLimiter(),
    admission: {
      async admit({ beside }) {
        script.onAdmit?.();
        await beside;
        return {
          used: (account) => ({ usage: account?.usage ?? null, provenance: "reported" }),
          settle: async () => undefined,
        };
      },
    },
    disconnectPolicy: createDisconnectPolicy(0, clock),
    onLost: (_, error) => {
      throw error;
    },
    concurrency,
    streamLimit,
    clock,
    retries: 1,
    observe: (record) => records.push(record),
  });
  const client = new AbortController();
  const call = (principal: Principal = visitor): Call => ({
    requestId: "req-1",
    dialect: "envelope",
    principal,
    signal: client.signal,
    room: answerRoom.enter("bucket"),
    giveBack: () => undefined,
    onRecord: (record) => toCaller.push(record),
  });
  const read = async (events: AsyncIterable<AnswerEvent>, atMost = Number.POSITIVE_INFINITY) => {
    const seen: AnswerEvent[] = [];
    for await (const event of events) {
      if (seen.push(event) >= atMost) break;
    }
    return seen;
  };
  const open = () => leases.count(bucket).open;
  return {
    pipeline,
    clock,
    records,
    toCaller,
    asked,
    client,
    call,
    read,
    open,
    closed: () => closed,
  };
}

const fails = (...errors: readonly ProxyError[]) => {
  let at = 0;
  return () => {
    const error = errors[Math.min(at, errors.length - 1)];
    at += 1;
    if (error !== undefined) throw error;
  };
};

describe("a whole answer", () => {
  test("completed: it is given back and recorded once, to both who are told", async () => {
    const { pipeline, call, records, toCaller, asked } = createScene();
    await expect(pipeline.complete(call(), question)).resolves.toBe(completion);
    expect(asked).toEqual([operatorKey]);
    expect(records).toEqual([
      {
        requestId: "req-1",
        dialect: "envelope",
        bucket,
        principal: "visitor",
        model: "gpt-4o-mini",
        answeredBy: "gpt-4o-mini-2024-07-18",
        usage,
        provenance: "reported",
        upstreamId: "chatcmpl-1",
        outcome: "completed",
        error: null,
        streamed: false,
        firstTokenMs: null,
        durationMs: 40,
        upstream: "default",
        upstreamModel: "gpt-4o-mini",
        tries: 1,
      },
    ]);
    expect(toCaller).toEqual(records);
  });

  test("failed: the error is recorded once, however often it was asked", async () => {
    const scene = createScene({ onAsk: fails(new ProxyError("upstream_unreachable")) });
    const { pipeline, call, records, asked } = scene;
    await expect(pipeline.complete(call(), question)).rejects.toThrow("upstream_unreachable");
    expect(asked).toHaveLength(2);
    expect(records).toMatchObject([
      { outcome: "failed", error: "upstream_unreachable", usage: null, answeredBy: null },
    ]);
  });

  test("canceled: a client that left is recorded as such", async () => {
    const { pipeline, call, records } = createScene({ onAsk: fails(new ProxyError("canceled")) });
    await expect(pipeline.complete(call(), question)).rejects.toThrow("canceled");
    expect(records).toMatchObject([{ outcome: "canceled", error: "canceled" }]);
  });

  test("a mistake of ours is internal and recorded", async () => {
    const mistake = new TypeError("x is not a function");
    const { pipeline, call, records } = createScene({
      onAsk: () => {
        throw mistake;
      },
    });
    const error = await pipeline.complete(call(), question).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "internal", cause: mistake });
    expect(records).toMatchObject([{ outcome: "failed", error: "internal" }]);
  });

  test("takes no place among the open answers", async () => {
    const { pipeline, call, open } = createScene({}, 1);
    const other = createScene({}, 1);
    await Promise.all([pipeline.complete(call(), question), pipeline.complete(call(), question)]);
    expect([open(), other.open()]).toEqual([0, 0]);
  });
});

describe("a streamed answer", () => {
  test("completed: events pass as they are, the record has usage and the first token's time", async () => {
    const { pipeline, call, read, records, toCaller, open } = createScene();
    const events = await pipeline.stream(call(), question);
    expect(open()).toBe(1);
    expect(await read(events)).toEqual(wholeAnswer);
    expect(records).toMatchObject([
      {
        outcome: "completed",
        streamed: true,
        usage,
        answeredBy: completion.model,
        firstTokenMs: 20,
        durationMs: 40,
        error: null,
      },
    ]);
    expect(toCaller).toEqual(records);
    expect(open()).toBe(0);
  });

  test("refused before it began: failed, and the place is given back", async () => {
    const scene = createScene({ onAsk: fails(new ProxyError("upstream_refused")) });
    const { pipeline, call, records, open } = scene;
    await expect(pipeline.stream(call(), question)).rejects.toThrow("upstream_refused");
    expect(records).toMatchObject([
      { outcome: "failed", error: "upstream_refused", streamed: true },
    ]);
    expect(open()).toBe(0);
  });

  test("left before it began: canceled, and the place is given back", async () => {
    const { pipeline, call, records, open } = createScene({
      onAsk: fails(new ProxyError("canceled")),
    });
    await expect(pipeline.stream(call(), question)).rejects.toThrow("canceled");
    expect(records).toMatchObject([{ outcome: "canceled", firstTokenMs: null }]);
    expect(open()).toBe(0);
  });

  test("broken while read: interrupted, with what was known", async () => {
    const broken = new ProxyError("upstream_failed", { cause: "canary-upstream-text" });
    const scene = createScene({ events: [start, delta("canary-"), broken] });
    const { pipeline, call, read, records, open, asked } = scene;
    const events = await pipeline.stream(call(), question);
    await expect(read(events)).rejects.toBe(broken);
    expect(asked).toHaveLength(1);
    expect(records).toMatchObject([
      { outcome: "interrupted", error: "upstream_failed", usage: null, firstTokenMs: 20 },
    ]);
    expect(open()).toBe(0);
  });

  test("a client that leaves while it is read: canceled, the upstream closed", async () => {
    const scene = createScene({
      events: [start, delta("a"), () => scene.client.abort(), delta("b")],
    });
    const { pipeline, call, read, records, open, closed } = scene;
    const events = await pipeline.stream(call(), question);
    await expect(read(events)).rejects.toMatchObject({ code: "canceled" });
    expect(records).toMatchObject([{ outcome: "canceled", error: "canceled", firstTokenMs: 20 }]);
    expect([open(), closed()]).toEqual([0, 1]);
  });

  test("stopped by us while it is read: interrupted, for our reason", async () => {
    const stop = () => scene.client.abort(new ProxyError("draining"));
    const scene = createScene({ events: [start, delta("a"), stop, delta("b")] });
    const { pipeline, call, read, records, open } = scene;
    const events = await pipeline.stream(call(), question);
    await expect(read(events)).rejects.toMatchObject({ code: "draining" });
    expect(records).toMatchObject([{ outcome: "interrupted", error: "draining" }]);
    expect(open()).toBe(0);
  });

  test.each([1, 2, 3])(
    "a reader who stops after %i events: canceled, all closed",
    async (count) => {
      const { pipeline, call, read, records, open, closed } = createScene();
      expect(await read(await pipeline.stream(call(), question), count)).toHaveLength(count);
      expect(records).toMatchObject([
        { outcome: "canceled", error: null, firstTokenMs: count === 1 ? null : 20 },
      ]);
      expect([open(), closed()]).toEqual([0, 1]);
    },
  );

  test("a reader who leaves with the last event has had a completed answer", async () => {
    const { pipeline, call, read, records, open } = createScene();
    await read(await pipeline.stream(call(), question), wholeAnswer.length);
    expect(records).toMatchObject([{ outcome: "completed", usage }]);
    expect(open()).toBe(0);
  });

  test("a mistake while it is read is internal", async () => {
    const mistake = new RangeError("too deep");
    const blunder = () => {
      throw mistake;
    };
    const { pipeline, call, read, records, open } = createScene({ events: [start, blunder] });
    const events = await pipeline.stream(call(), question);
    await expect(read(events)).rejects.toMatchObject({ code: "internal", cause: mistake });
    expect(records).toMatchObject([{ outcome: "interrupted", error: "internal" }]);
    expect(open()).toBe(0);
  });
});

describe("the limit on open streams", () => {
  test("one too many is refused with the limit and a wait, and nothing is asked", async () => {
    const { pipeline, call, asked, records, open } = createScene({}, 2);
    await pipeline.stream(call(), question);
    await pipeline.stream(call(), question);
    const error = await pipeline.stream(call(), question).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "streams_limited",
      params: { limit: 2 },
      details: { limit: 2 },
      retryAfterMs: 1_000,
    });
    expect(asked).toHaveLength(2);
    expect(records).toMatchObject([
      { outcome: "refused", error: "streams_limited", streamed: true },
    ]);
    expect(open()).toBe(2);
  });

  test("a place that was given back is taken by the next", async () => {
    const { pipeline, call, read, open } = createScene({}, 1);
    for (const atMost of [1, 2, 4, 4]) {
      await read(await pipeline.stream(call(), question), atMost);
      expect(open()).toBe(0);
    }
  });

  test("is each address's own", async () => {
    const { pipeline, call } = createScene({}, 1);
    await pipeline.stream(call(), question);
    const elsewhere = { ...call(), principal: { kind: "visitor", bucket: "192.0.2.2" } as const };
    await expect(pipeline.stream(elsewhere, question)).resolves.toBeDefined();
  });

  describe("granted elsewhere", () => {
    const refuse = () => {
      throw new ProxyError("rate_limited");
    };

    test("is asked while admission is under way", async () => {
      const order: string[] = [];
      const onAdmit = () => void order.push("admission");
      const scene = createScene({ leaseElsewhere: true, onAdmit });
      const streaming = scene.pipeline.stream(scene.call(), question);
      order.push("both have begun");
      await scene.read(await streaming);
      expect(order).toEqual(["admission", "both have begun"]);
      expect(scene.open()).toBe(0);
    });

    test("refuses one too many, and nothing is asked", async () => {
      const { pipeline, call, asked, records, open } = createScene({ leaseElsewhere: true });
      await pipeline.stream(call(), question);
      await expect(pipeline.stream(call(), question)).rejects.toThrow("streams_limited");
      expect(asked).toHaveLength(1);
      expect(records).toMatchObject([{ outcome: "refused", error: "streams_limited" }]);
      expect(open()).toBe(1);
    });

    test("is given back where admission refuses", async () => {
      const scene = createScene({ leaseElsewhere: true, onAdmit: refuse });
      const { pipeline, call, records, open } = scene;
      await expect(pipeline.stream(call(), question)).rejects.toThrow("rate_limited");
      expect(open()).toBe(0);
      expect(records).toMatchObject([{ outcome: "refused", error: "rate_limited" }]);
    });

    test("has the first word where both refuse", async () => {
      let calls = 0;
      const onAdmit = () => {
        calls += 1;
        if (calls > 1) refuse();
      };
      const { pipeline, call, records, open } = createScene({ leaseElsewhere: true, onAdmit });
      await pipeline.stream(call(), question);
      await expect(pipeline.stream(call(), question)).rejects.toThrow("streams_limited");
      expect(records).toMatchObject([{ outcome: "refused", error: "streams_limited" }]);
      expect(open()).toBe(1);
    });
  });
});

describe("whose key, whose fault", () => {
  const rejected = new ProxyError("key_rejected", {
    params: { reason: "canary-upstream-text" },
    details: { upstream_status: 401, said: "canary-upstream-text" },
    cause: `canary-upstream-text ${operatorKey}`,
  });
  const exhausted = new ProxyError("key_exhausted", {
    details: { said: "canary-upstream-text" },
    retryAfterMs: 5_000,
    cause: "canary-upstream-text",
  });
  const asks = ["complete", "stream"] as const;

  test.each(asks)("%s: a caller's own key that is rejected is the caller's error", async (ask) => {
    const { pipeline, call, asked, records } = createScene({ onAsk: fails(rejected) });
    await expect(pipeline[ask](call(caller), question)).rejects.toBe(rejected);
    expect(asked).toEqual([ownKey]);
    expect(records).toMatchObject([{ principal: "own-key", error: "key_rejected" }]);
  });

  test.each(asks)("%s: a caller's own key without money is the caller's error", async (ask) => {
    const { pipeline, call } = createScene({ onAsk: fails(exhausted) });
    await expect(pipeline[ask](call(caller), question)).rejects.toBe(exhausted);
  });

  test.each(asks)(
    "%s: the operator's key that is rejected is ours, without a word of it",
    async (ask) => {
      const { pipeline, call, records } = createScene({ onAsk: fails(rejected) });
      const error = await pipeline[ask](call(), question).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "upstream_key_rejected", params: {}, details: {} });
      expect(error).toHaveProperty("cause", undefined);
      expect(records).toMatchObject([{ outcome: "failed", error: "upstream_key_rejected" }]);
    },
  );

  test.each(asks)(
    "%s: the operator's key without money is ours, and says when to come back",
    async (ask) => {
      const { pipeline, call } = createScene({ onAsk: fails(exhausted) });
      const error = await pipeline[ask](call(), question).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "upstream_exhausted",
        params: {},
        details: {},
        retryAfterMs: 5_000,
      });
      expect(error).toHaveProperty("cause", undefined);
    },
  );

  test("an operator's key that breaks while the answer is read is ours too", async () => {
    const { pipeline, call, read } = createScene({ events: [start, rejected] });
    const events = await pipeline.stream(call(), question);
    await expect(read(events)).rejects.toMatchObject({
      code: "upstream_key_rejected",
      details: {},
    });
  });

  test("the operator's next key answers when one is rejected", async () => {
    const scene = createScene({ onAsk: fails(rejected) }, 1, ["a", "b"]);
    await expect(scene.pipeline.complete(scene.call(), question)).rejects.toThrow();
    expect(scene.asked).toEqual(["a", "b"]);
    const once = createScene(
      {
        onAsk: ({ key }) => {
          if (key === "a") throw rejected;
        },
      },
      1,
      ["a", "b"],
    );
    await expect(once.pipeline.complete(once.call(), question)).resolves.toBe(completion);
    await expect(once.pipeline.complete(once.call(), question)).resolves.toBe(completion);
    expect(once.asked).toEqual(["a", "b", "b"]);
    expect(once.records).toMatchObject([{ outcome: "completed" }, { outcome: "completed" }]);
  });

  test("without an operator's key a visitor is asked for one and it is recorded", async () => {
    const { pipeline, call, records, open } = createScene({}, 1, []);
    await expect(pipeline.stream(call(), question)).rejects.toThrow("key_missing");
    expect(records).toMatchObject([{ outcome: "failed", error: "key_missing" }]);
    expect(open()).toBe(0);
  });

  test("an own key never rests and never joins the operator's", async () => {
    const { pipeline, call, asked } = createScene({
      onAsk: ({ key }) => {
        if (key === ownKey) throw rejected;
      },
    });
    await expect(pipeline.complete(call(caller), question)).rejects.toThrow();
    await expect(pipeline.complete(call(caller), question)).rejects.toThrow();
    await pipeline.complete(call(), question);
    expect(asked).toEqual([ownKey, ownKey, operatorKey]);
  });
});

test("no record holds a key, the question or the answer, whatever the ending", async () => {
  const breakdowns = [new ProxyError("upstream_failed"), new ProxyError("key_rejected")];
  const scripts: Script[] = [
    {},
    ...breakdowns.map((error) => ({ onAsk: fails(error) })),
    ...breakdowns.map((error) => ({ events: [start, delta("canary-answer"), error] })),
  ];
  for (const script of scripts) {
    for (const principal of [visitor, caller]) {
      const { pipeline, call, read, records, toCaller } = createScene(script, 0);
      await pipeline.complete(call(principal), question).catch(() => undefined);
      await pipeline
        .stream(call(principal), question)
        .then(read, () => undefined)
        .catch(() => undefined);
      const written = JSON.stringify([records, toCaller]);
      expect(records).toHaveLength(2);
      expect(toCaller).toHaveLength(2);
      for (const secret of [ownKey, operatorKey, "canary"]) expect(written).not.toContain(secret);
    }
  }
});
