import { describe, expect, test } from "vitest";
import { createOpenCalls, maxHeldBytes } from "../../../src/http/call/open-calls.ts";
import { codeOf } from "../../storage/support/talk.ts";

const MEBIBYTE = 1_048_576;
const room = maxHeldBytes(MEBIBYTE);

describe("the room for bodies", () => {
  test("is bounded, and given back when a call leaves", async () => {
    const calls = createOpenCalls(room);
    const owners = Array.from({ length: 64 }, () => ({}));
    for (const owner of owners) {
      calls.enter(owner);
      calls.hold(owner, MEBIBYTE);
    }
    const late = {};
    calls.enter(late);
    const hold = async () => calls.hold(late, MEBIBYTE);
    expect(await codeOf(hold())).toBe("overloaded");
    calls.leave(owners[0] ?? {}, true);
    expect(await codeOf(hold())).toBe("done");
    expect(calls.count).toBe(64);
  });

  test("is not taken by a call that has left while somebody was looked up", async () => {
    const calls = createOpenCalls(room);
    for (let count = 0; count < 200; count += 1) {
      const owner = {};
      calls.enter(owner);
      calls.leave(owner, true);
      calls.hold(owner, MEBIBYTE);
    }
    const owner = {};
    calls.enter(owner);
    expect(await codeOf((async () => calls.hold(owner, MEBIBYTE))())).toBe("done");
  });
});
