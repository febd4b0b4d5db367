import { describe, expect, test } from "vitest";
import { createOpenCalls, type OpenCalls } from "../../../src/http/call/open-calls.ts";
import { codeOf } from "../../storage/support/talk.ts";
import { answerRoom } from "../../support/rooms.ts";

const MEBIBYTE = 1_048_576;
const SMALL = 16_383;

/** Enters calls of a bucket that hold a mebibyte each. */
function enter(calls: OpenCalls, bucket: string, count: number): object[] {
  const owners = Array.from({ length: count }, () => ({}));
  for (const owner of owners) {
    calls.enter(owner, bucket);
    calls.hold(owner, MEBIBYTE);
  }
  return owners;
}

const open = (maxBodyBytes = MEBIBYTE) => createOpenCalls(maxBodyBytes, answerRoom);
const refusal = (work: () => unknown) => codeOf((async () => work())());

describe("the room for bodies", () => {
  test("is bounded for all, and given back when a call leaves", async () => {
    const calls = open();
    const [first = {}] = ["a", "b", "c", "d"].flatMap((bucket) => enter(calls, bucket, 16));
    const late = {};
    calls.enter(late, "e");
    const hold = () => calls.hold(late, MEBIBYTE);
    expect(await refusal(hold)).toBe("overloaded");
    expect(await refusal(() => calls.hold(late, SMALL))).toBe("done");
    calls.leave(first, true);
    expect(await refusal(hold)).toBe("done");
    expect(calls.count).toBe(64);
  });

  test("is a quarter for each address, which leaves room for the others", async () => {
    const calls = open();
    const [first = {}] = enter(calls, "a", 16);
    expect(await refusal(() => enter(calls, "a", 1))).toBe("overloaded");
    expect(await refusal(() => enter(calls, "b", 16))).toBe("done");
    calls.hold(first, 20_000);
    expect(await refusal(() => calls.hold(first, MEBIBYTE))).toBe("done");
  });

  test("has a share for the largest body that is allowed", async () => {
    const calls = open(64 * MEBIBYTE);
    const owner = {};
    calls.enter(owner, "a");
    expect(await refusal(() => calls.hold(owner, 64 * MEBIBYTE))).toBe("done");
    expect(await refusal(() => enter(calls, "a", 1))).toBe("overloaded");
  });

  test("is not taken by a call that has left while somebody was looked up", async () => {
    const calls = open();
    for (let count = 0; count < 200; count += 1) {
      const owner = {};
      calls.enter(owner, "a");
      calls.leave(owner, true);
      calls.hold(owner, MEBIBYTE);
    }
    expect(await refusal(() => enter(calls, "a", 16))).toBe("done");
  });
});
