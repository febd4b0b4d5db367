/** Forms that are held whole share a room. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { createFormRoom } from "../../../src/http/body/form-room.ts";

const MEBIBYTE = 1_048_576;
const response = () => new ServerResponse(new IncomingMessage(new Socket()));
const overloaded = expect.objectContaining({ code: "overloaded" });

test("a bucket has a quarter, and a response that is over gives its part back", () => {
  const room = createFormRoom(MEBIBYTE);
  const first = response();
  const grow = room.enter(first, "a");
  grow(8 * MEBIBYTE);
  grow(16 * MEBIBYTE);
  expect(() => room.enter(response(), "a")(1)).toThrow(overloaded);
  for (const bucket of ["b", "c", "d"]) room.enter(response(), bucket)(16 * MEBIBYTE);
  expect(() => room.enter(response(), "e")(1)).toThrow(overloaded);
  first.emit("close");
  room.enter(response(), "a")(16 * MEBIBYTE);
});

test("the largest form has room, and one whose client has left takes none", () => {
  const room = createFormRoom(100 * MEBIBYTE);
  room.enter(response(), "a")(100 * MEBIBYTE);
  const left = response();
  const grow = room.enter(left, "b");
  left.destroy();
  expect(() => grow(1)).toThrow(expect.objectContaining({ code: "canceled" }));
});
