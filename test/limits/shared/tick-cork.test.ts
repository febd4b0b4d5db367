import { Writable } from "node:stream";
import { setImmediate as nextTick } from "node:timers/promises";
import { expect, test } from "vitest";
import { createTickCork } from "../../../src/limits/shared/tick-cork.ts";

/** A stream that notes what it is given at once. */
function noting() {
  const writes: string[][] = [];
  const stream = new Writable({
    decodeStrings: false,
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  return { stream, writes };
}

test("what is written in one tick leaves together, whoever writes it", async () => {
  const { stream, writes } = noting();
  const beforeWrite = createTickCork(stream);
  const write = (text: string) => {
    beforeWrite();
    stream.write(text);
  };
  write("a");
  process.nextTick(() => write("b"));
  await Promise.resolve().then(() => write("c"));
  await nextTick();
  expect(writes.map((chunks) => chunks.toSorted())).toEqual([["a", "b", "c"]]);
  write("d");
  await nextTick();
  expect(writes.slice(1)).toEqual([["d"]]);
});

test("a stream that was ended meanwhile is left alone", async () => {
  const { stream, writes } = noting();
  const beforeWrite = createTickCork(stream);
  beforeWrite();
  stream.write("a");
  stream.end();
  await nextTick();
  expect(writes).toEqual([["a"]]);
  stream.destroy();
  beforeWrite();
  await nextTick();
});
