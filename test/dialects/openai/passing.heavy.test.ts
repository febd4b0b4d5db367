/** Many large answers at once: what passes is bounded by its readers, not by its size. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { expect, test } from "vitest";
import { openStream } from "../../support/http.ts";
import { startPair } from "../../support/pair.ts";
import type { Behaviour } from "../../support/upstream.ts";
import { embedding, usageLast } from "./large.ts";
import { bearer } from "./support.ts";

const TEST_MS = 120_000;
const CLIENTS = 30;
const MEGABYTE = 1_048_576;
const ANSWER_BYTES = 15 * MEGABYTE;
/** All answers together are 450 MB. */
const MAX_RISE_BYTES = 200 * MEGABYTE;
const answer = Buffer.from(usageLast(ANSWER_BYTES));
const digest = createHash("sha256").update(answer).digest("hex");

const headers = { ...bearer("sk-own"), "content-type": "application/json" };

/** Reads an answer to its end and forgets it. */
async function digestOf(url: string): Promise<string> {
  const sent = request(url, { method: "POST", agent: false, headers });
  sent.end(JSON.stringify(embedding));
  const [response] = await once(sent, "response");
  expect(response.statusCode).toBe(200);
  const hash = createHash("sha256");
  for await (const chunk of response) hash.update(chunk);
  return hash.digest("hex");
}

/** Sends an answer in blocks, as fast as they are taken. */
function createBlocks(answer: Buffer) {
  const offered = { bytes: 0 };
  const behaviour: Behaviour = {
    name: "blocks",
    run: async ({ response, write }) => {
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": answer.length,
      });
      for (let at = 0; at < answer.length; at += MEGABYTE) {
        await write(answer.subarray(at, at + MEGABYTE));
        offered.bytes += MEGABYTE;
      }
      response.end();
    },
  };
  return { offered, behaviour };
}

test(
  `${CLIENTS} clients of one address get answers of 15 MiB at once, in little memory`,
  async () => {
    const { parley } = await startPair({}, { behaviour: createBlocks(answer).behaviour });
    const url = `${parley.url}/v1/embeddings`;
    await digestOf(url);
    const before = parley.residentBytes();
    let peak = before;
    const sampling = setInterval(() => {
      peak = Math.max(peak, parley.residentBytes());
    }, 20);
    const digests = await Promise.all(Array.from({ length: CLIENTS }, () => digestOf(url)));
    clearInterval(sampling);
    expect(digests).toEqual(Array(CLIENTS).fill(digest));
    process.stdout.write(`answers that pass: RSS +${Math.round((peak - before) / MEGABYTE)} MB\n`);
    expect(peak - before).toBeLessThan(MAX_RISE_BYTES);
  },
  TEST_MS,
);

test(
  "readers that stop stop the upstream, and hold up nobody else",
  async () => {
    const larger = Buffer.from(usageLast(3 * ANSWER_BYTES));
    const { offered, behaviour } = createBlocks(larger);
    const env = { MAX_ANSWER_BYTES: String(4 * ANSWER_BYTES) };
    const { parley } = await startPair(env, { behaviour });
    const url = `${parley.url}/v1/embeddings`;
    const ask = () => openStream(url, embedding, { headers: bearer("sk-own") });
    const readers = [await ask(), await ask()];
    expect(await digestOf(url)).toBe(createHash("sha256").update(larger).digest("hex"));
    // what the kernel takes of them on their way is less than they are
    expect(offered.bytes).toBeLessThan(2 * larger.length);
    const late = await Promise.all(readers.map((reader) => reader.text()));
    expect(late.map((text) => text.length)).toEqual([larger.length, larger.length]);
  },
  TEST_MS,
);
