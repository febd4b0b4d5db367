/** Refusals that came compressed, though nobody asked for that. */
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { describe, expect, test } from "vitest";
import { postJson, type Reply } from "../support/http.ts";
import { says } from "../support/refusals.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";
import { bearer, errorOf, question } from "./openai/support.ts";

describe("a packed refusal", () => {
  const text = JSON.stringify({ error: { message: "too long", code: "x" } });
  const zeros = Buffer.alloc(20_000_000, 32);
  test.each([
    ["gzip", gzipSync(text)],
    ["x-gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["deflate", deflateRawSync(text)],
    ["br", brotliCompressSync(text)],
    ["zstd", zstdCompressSync(text)],
    ["GZIP", gzipSync(text)],
    ["br, gzip", gzipSync(brotliCompressSync(text))],
  ])("in %s is read", async (encoding, bytes) => {
    const reply = await refusedWith(bytes, encoding);
    expect(reply.status).toBe(400);
    expect(reply.json).toMatchObject({ error: { message: "too long" } });
  });

  test.each([
    ["gzip", gzipSync(zeros)],
    ["br", brotliCompressSync(zeros)],
    ["zstd", zstdCompressSync(zeros)],
    ["gzip", Buffer.from("no gzip")],
    ["rot13", Buffer.from("gbb ybat")],
  ])(
    "in %s that can't be read, or unpacks into too much, is its status",
    async (encoding, bytes) => {
      const reply = await refusedWith(bytes, encoding);
      expect([reply.status, errorOf(reply).code]).toEqual([400, "upstream_refused"]);
      expect(String(errorOf(reply).message)).toContain("400");
    },
  );

  test("that is larger than anybody reads is cut, and its words are found all the same", async () => {
    const long = `{"error":{"message":"too long","param":"${"x".repeat(200_000)}"}}`;
    const reply = await refusedWith(Buffer.from(long), "identity");
    expect(reply.status).toBe(400);
    expect(reply.json).toMatchObject({ error: { message: "too long" } });
  });
});

async function refusedWith(bytes: Buffer, encoding: string): Promise<Reply> {
  const behaviour = says(400, bytes, { "content-encoding": encoding });
  const scene = await startScene({}, { behaviour });
  return postJson(`${scene.parley.origin}/v1/chat/completions`, question, {
    headers: bearer(OWN_KEY),
  });
}
