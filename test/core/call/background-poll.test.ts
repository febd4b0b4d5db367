import { expect, test } from "vitest";
import type { LedgerEntry } from "../../../src/core/accounts/accounts.ts";
import type { BackgroundCalls, KeptCall } from "../../../src/core/accounts/background.ts";
import {
  type BackgroundPollOptions,
  createBackgroundPoll,
} from "../../../src/core/call/background-poll.ts";
import { createBackgroundState } from "../../../src/core/call/background-state.ts";
import { NOTHING_SEEN } from "../../../src/core/call/estimate.ts";
import { createKeyRing } from "../../../src/core/call/key-ring.ts";
import { createReasoningModels } from "../../../src/core/call/reasoning.ts";
import { ProxyError } from "../../../src/core/errors.ts";
import type { RelayAccount } from "../../../src/core/upstream-ports.ts";
import { createMemoryCooldowns } from "../../../src/limits/memory-cooldowns.ts";
import { entry, noon, standingClock } from "../../storage/support/calls.ts";
import { answerRoom } from "../../support/rooms.ts";
import { onlyRouting, onlyTarget } from "../../support/targets.ts";

const unknown = { usage: null, cost: null, provenance: "unknown", upstreamId: "resp_1" } as const;
const kept: KeptCall = {
  id: "1",
  entry: entry(unknown),
  reservation: null,
  reserved: { question: 100, answers: 900 },
};
const pending: RelayAccount = { ...NOTHING_SEEN, pending: true };
const usage = { promptTokens: 10, completionTokens: 20, totalTokens: 30, cachedTokens: 0 };
const maxMs = 24 * 3_600_000;

/** One call that is always due, and what becomes of it. */
function scene(
  stateOf: BackgroundPollOptions["stateOf"],
  due: () => readonly KeptCall[] = () => [kept],
) {
  const clock = standingClock();
  const settled: LedgerEntry[] = [];
  const pauses: number[] = [];
  const errors: Error[] = [];
  const calls: BackgroundCalls = {
    keep: async () => true,
    claim: async (most) => due().slice(0, most),
    postpone: async (_, until) => void pauses.push(until - clock.wallMs()),
    settle: async (_, one) => void settled.push(one),
  };
  const reasoning = createReasoningModels();
  const onError = (error: Error) => void errors.push(error);
  const poll = createBackgroundPoll({ calls, stateOf, reasoning, clock, maxMs, onError });
  const lookAfter = async (ms: number) => {
    clock.set(noon + ms);
    await poll.look();
    await poll.done();
  };
  return { poll, lookAfter, settled, pauses, errors };
}

test("a call is asked about at growing intervals while its answer is made", async () => {
  const { lookAfter, pauses, settled } = scene(async () => pending);
  for (const ageMs of [0, 2_000, 4_000, 30_000, 90_000, maxMs - 1]) await lookAfter(ageMs);
  expect(pauses).toEqual([2_000, 2_000, 4_000, 30_000, 60_000, 60_000]);
  expect(settled).toEqual([]);
});

test.each<[string, () => Promise<RelayAccount | null>, number, object]>([
  ["its usage", async () => ({ ...NOTHING_SEEN, usage }), 2_000, { usage, provenance: "reported" }],
  [
    "its text, if it ended without usage",
    async () => ({ ...NOTHING_SEEN, answerTokens: 50 }),
    2_000,
    { usage: { totalTokens: 110 }, provenance: "estimated" },
  ],
  [
    "all that was reserved, if it is gone",
    async () => null,
    2_000,
    { usage: { totalTokens: 1_000 } },
  ],
  [
    "all that was reserved after the time for it",
    async () => pending,
    maxMs,
    { usage: { totalTokens: 1_000 } },
  ],
  [
    "the same if the upstream never answers",
    () => Promise.reject(new ProxyError("upstream_timeout")),
    maxMs,
    { usage: { totalTokens: 1_000 } },
  ],
])("a call is settled by %s", async (_, stateOf, ageMs, expected) => {
  const { lookAfter, settled } = scene(stateOf);
  await lookAfter(ageMs);
  expect(settled).toMatchObject([{ ...expected, cost: expect.any(BigInt) }]);
});

test("a failure to ask is reported, and the call asked about again", async () => {
  const { lookAfter, settled, pauses, errors } = scene(() =>
    Promise.reject(new ProxyError("upstream_unreachable")),
  );
  await lookAfter(2_000);
  expect([settled, pauses, errors.length]).toEqual([[], [2_000], 1]);
});

test("at most eight are asked about at once, and none after the end", async () => {
  const answers = Promise.withResolvers<RelayAccount>();
  let asked = 0;
  const many = Array.from({ length: 20 }, () => kept);
  const { poll, settled } = scene(
    () => {
      asked += 1;
      return answers.promise;
    },
    () => many,
  );
  await poll.look();
  await poll.look();
  expect(asked).toBe(8);
  const closed = poll.close();
  answers.resolve({ ...NOTHING_SEEN, usage });
  await closed;
  await poll.look();
  expect([asked, settled]).toEqual([8, []]);
});

const notFound = new ProxyError("upstream_refused", { details: { upstream_status: 404 } });

/** A state that the operator's two keys are asked for, or a token's own. */
function stateScene(known: Readonly<Record<string, RelayAccount>>, ownKey: string | null = null) {
  const asked: string[] = [];
  const cooldowns = createMemoryCooldowns(standingClock());
  const keyRing = createKeyRing(["sk-1", "sk-2"], cooldowns, (key) => key);
  const stateOf = createBackgroundState({
    answers: answerRoom,
    upstreamKeyOf: async () => ownKey,
    routing: onlyRouting(
      onlyTarget({
        keyRing,
        relay: {
          send: async ({ method, path }, { key }) => {
            asked.push(`${method} ${path} ${key}`);
            const account = known[key];
            if (account === undefined) throw notFound;
            return {
              kind: "whole",
              status: 200,
              contentType: "",
              bytes: new Uint8Array(),
              account,
            };
          },
        },
      }),
    ),
  });
  const payer = { kind: "token", tokenId: "t", keyDigest: null } as const;
  const ask = (upstreamId = "resp_1") =>
    stateOf(
      { ...kept, entry: entry({ ...unknown, payer, upstreamId }) },
      new AbortController().signal,
    );
  return { ask, asked, keyRing };
}

test("each of the operator's keys is asked until one knows the answer", async () => {
  const { ask, asked } = stateScene({ "sk-2": pending });
  expect(await ask()).toBe(pending);
  expect(asked).toEqual(["GET /responses/resp_1 sk-1", "GET /responses/resp_1 sk-2"]);
});

test("an answer that no key knows is gone, unless a key that cools down may know it", async () => {
  const { ask, keyRing } = stateScene({});
  expect(await ask()).toBeNull();
  keyRing.coolDown("sk-2", "limited", 60_000);
  expect(await ask()).toMatchObject({ pending: true });
});

test("a token's own key alone is asked", async () => {
  const { ask, asked } = stateScene({ "sk-own": pending }, "sk-own");
  expect(await ask()).toBe(pending);
  expect(asked).toEqual(["GET /responses/resp_1 sk-own"]);
});

test("an id that is no part of a path is never asked about", async () => {
  const { ask, asked } = stateScene({});
  for (const id of ["../files", "a b", "..", "", "x".repeat(201)]) expect(await ask(id)).toBeNull();
  expect(asked).toEqual([]);
});
