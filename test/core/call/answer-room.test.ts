import { describe, expect, test } from "vitest";
import { type AnswerHold, createAnswerRoom } from "../../../src/core/call/answer-room.ts";
import type { CallSignal } from "../../../src/core/call/call.ts";
import { LightSignal } from "../../../src/core/call/call.ts";
import { codeOf } from "../../storage/support/talk.ts";

const MEBIBYTE = 1_048_576;
const LARGEST = 16 * MEBIBYTE;

/** A room whose time passes only when the test says so. */
function createRoom() {
  const late = Promise.withResolvers<void>();
  const waits: number[] = [];
  let collected = 0;
  const sleep = (ms: number, signal: CallSignal) => {
    waits.push(ms);
    const over = new Promise<void>((resolve) => signal.addEventListener("abort", resolve));
    return Promise.race([late.promise, over]);
  };
  const room = createAnswerRoom({
    maxAnswerBytes: LARGEST,
    clock: { sleep },
    collect: () => {
      collected += 1;
    },
  });
  const begin = (bucket: string) => {
    const hold = room.enter(bucket);
    hold.begin(LARGEST);
    return hold;
  };
  return { begin, waits, collected: () => collected, timeIsUp: () => late.resolve() };
}

const here = () => new LightSignal();
const isReady = (taking: Promise<void> | undefined) => taking === undefined;

/** Takes all of it, a piece at a time. */
async function takeAll(hold: AnswerHold, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= MEBIBYTE) await hold.take(MEBIBYTE, here());
  hold.arrived();
}

describe("the room for whole answers", () => {
  test("is a quarter for each address, and given back when calls are over", async () => {
    const { begin } = createRoom();
    const [first, second, third] = [begin("a"), begin("a"), begin("a")];
    await takeAll(first, LARGEST);
    await takeAll(second, LARGEST);
    const waiting = third.take(MEBIBYTE, here());
    expect(isReady(waiting)).toBe(false);
    expect(isReady(begin("b").take(MEBIBYTE, here()))).toBe(true);
    first.leave();
    expect(await codeOf(waiting ?? Promise.reject())).toBe("done");
  });

  test("has a place for short answers, however long others hold all of it", async () => {
    const { begin } = createRoom();
    for (const bucket of ["a", "b", "c", "d"]) {
      await takeAll(begin(bucket), LARGEST);
      await takeAll(begin(bucket), LARGEST);
    }
    const short = MEBIBYTE / 4;
    const first = Array.from({ length: 4 }, () => begin("e"));
    for (const hold of first) expect(isReady(hold.take(short, here()))).toBe(true);
    expect(isReady(begin("e").take(short, here()))).toBe(false); // it has its share of them
    expect(isReady(begin("f").take(short + 1, here()))).toBe(false); // not short
    for (const hold of first) {
      hold.arrived();
      hold.leave();
    }
    expect(isReady(begin("e").take(short, here()))).toBe(true);
    for (let at = 0; at < 60; at += 1) {
      expect(isReady(begin(`g${at >> 2}`).take(short, here()))).toBe(true);
    }
    expect(isReady(begin("h").take(short, here()))).toBe(true);
  });

  test("is given by the short ones when an answer turns out to be long", async () => {
    const { begin } = createRoom();
    const holds = Array.from({ length: 8 }, () => begin("a"));
    for (const hold of holds) {
      await hold.take(MEBIBYTE / 4, here());
      await hold.take(MEBIBYTE, here());
      expect(isReady(begin("a").take(MEBIBYTE / 4, here()))).toBe(true);
      hold.arrived();
      hold.leave();
    }
  });

  test("is bounded for all", async () => {
    const { begin } = createRoom();
    for (const bucket of ["a", "b", "c", "d"]) {
      await takeAll(begin(bucket), LARGEST);
      await takeAll(begin(bucket), LARGEST);
    }
    expect(isReady(begin("e").take(MEBIBYTE, here()))).toBe(false);
    // a few pages are not counted
    expect(isReady(begin("e").take(16_384, here()))).toBe(true);
  });

  test.each([1, 3, 50])(
    "lets 50 answers from %i addresses come, one after the other",
    async (of) => {
      const { begin } = createRoom();
      const holds = Array.from({ length: 50 }, (_, index) => begin(`${index % of}`));
      const taking = holds.map(async (hold) => {
        await takeAll(hold, 15 * MEBIBYTE);
        hold.leave();
      });
      expect(await codeOf(Promise.all(taking))).toBe("done");
    },
  );

  test("lets small answers pass beside a large one that comes slowly", () => {
    const { begin } = createRoom();
    expect(isReady(begin("a").take(MEBIBYTE, here()))).toBe(true);
    for (let count = 0; count < 15; count += 1) {
      expect(isReady(begin("a").take(MEBIBYTE, here()))).toBe(true);
    }
  });

  test("refuses an answer that has waited ten seconds, or whose client has left", async () => {
    const { begin, waits, timeIsUp } = createRoom();
    for (const _ of [1, 2]) await takeAll(begin("a"), LARGEST);
    const late = begin("a");
    const refused = late.take(MEBIBYTE, here());
    const signal = here();
    const canceled = begin("a").take(MEBIBYTE, signal);
    signal.abort();
    expect(await codeOf(canceled ?? Promise.resolve())).toBe("canceled");
    timeIsUp();
    await expect(refused).rejects.toMatchObject({ code: "overloaded", retryAfterMs: 1_000 });
    expect(waits).toEqual([10_000, 10_000]);
  });

  test("has the memory of what was joined and what has left collected, by the share", async () => {
    const { begin, collected } = createRoom();
    for (let count = 0; count < 4; count += 1) {
      const hold = begin("a");
      await takeAll(hold, LARGEST);
      hold.leave();
    }
    expect(collected()).toBe(4);
  });

  test("is held by what is read on for a client that left, until it ends", async () => {
    const { begin } = createRoom();
    const [drained, second] = [begin("a"), begin("a")];
    await drained.take(LARGEST, here());
    drained.leave();
    await takeAll(second, LARGEST);
    const waiting = begin("a").take(MEBIBYTE, here());
    expect(isReady(waiting)).toBe(false);
    drained.arrived();
    expect(await codeOf(waiting ?? Promise.reject())).toBe("done");
  });

  test("has a share for the largest answer that is allowed, whatever it counts", async () => {
    const room = createAnswerRoom({
      maxAnswerBytes: 100 * MEBIBYTE,
      clock: { sleep: async () => undefined },
      collect: () => undefined,
    });
    const hold = room.enter("a");
    hold.begin(200 * MEBIBYTE);
    for (let count = 0; count < 200; count += 1) {
      expect(isReady(hold.take(MEBIBYTE, here()))).toBe(true);
    }
  });
});
