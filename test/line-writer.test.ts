import { openSync } from "node:fs";
import { expect, test } from "vitest";
import { createLineWriter, MAX_WAITING_CHARACTERS } from "../src/line-writer.ts";
import { createFifo } from "./support/fifo.ts";
import { timeRatio } from "./support/timing.ts";

const options = { lossLine: (lines: number) => `lost ${lines}\n`, unblock: () => undefined };
const LINE_BYTES = 1_024;
const lineOf = (number: number) => `${String(number).padEnd(LINE_BYTES - 1, ".")}\n`;

test("lines beyond the bound are dropped, and one line tells how many", async () => {
  const fifo = createFifo();
  const output = createLineWriter(fifo.fd, options);
  const count = (2 * MAX_WAITING_CHARACTERS) / LINE_BYTES;
  for (let number = 0; number < count; number += 1) output.write(lineOf(number));
  const lost = output.dropped();
  expect(lost).toBeGreaterThan(count / 4);
  expect(lost).toBeLessThan((3 * count) / 4);

  let text = "";
  while (!text.includes("lost")) {
    text += fifo.read();
    await output.flush(0);
  }
  output.write("again\n");
  await output.flush(0);
  text += fifo.read();
  const lines = text.split(/(?<=\n)/);
  const kept = Array.from({ length: count - lost }, (_, number) => lineOf(number));
  expect(lines).toEqual([...kept, `lost ${lost}\n`, "again\n"]);
  expect(output.dropped()).toBe(lost);
});

test.each(["/dev/full", "a stuck pipe"])("%s neither throws nor holds the end up", async (to) => {
  const fd = to === "/dev/full" ? openSync(to, "w") : createFifo().fd;
  const output = createLineWriter(fd, options);
  for (let number = 0; number < 5_000; number += 1) output.write(lineOf(number));
  expect(output.dropped()).toBeGreaterThan(0);
  const startedMs = performance.now();
  await output.flush(100);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});

test("lines leave by themselves, whole and in order, as soon as a reader is back", async () => {
  const fifo = createFifo();
  const output = createLineWriter(fifo.fd, options);
  const expected = Array.from({ length: 300 }, (_, number) => lineOf(number)).join("");
  for (let number = 0; number < 300; number += 1) output.write(lineOf(number));
  let text = "";
  await expect
    .poll(
      () => {
        text += fifo.read();
        return text.length;
      },
      { interval: 5, timeout: 10_000 },
    )
    .toBe(expected.length);
  expect(text).toBe(expected);
});

test("a line costs no more while nothing can be written", () => {
  const writeTo = (fd: number) => () => {
    const output = createLineWriter(fd, options);
    for (let number = 0; number < 5_000; number += 1) output.write("a line of the log\n");
  };
  const stuck = writeTo(createFifo().fd);
  stuck();
  expect(timeRatio(stuck, writeTo(openSync("/dev/null", "w")))).toBeLessThan(3);
});

test("at the end more may wait, and is written as long as somebody reads", async () => {
  const fifo = createFifo();
  const output = createLineWriter(fifo.fd, options);
  const count = (4 * MAX_WAITING_CHARACTERS) / LINE_BYTES;
  output.makeRoom();
  for (let number = 0; number < count; number += 1) output.write(lineOf(number));
  expect(output.dropped()).toBe(0);
  const ended = output.flush(1_000, 20_000);
  let text = "";
  await expect
    .poll(
      () => {
        text += fifo.read();
        return text.length;
      },
      { interval: 5, timeout: 20_000 },
    )
    .toBe(count * LINE_BYTES);
  await ended;
});
