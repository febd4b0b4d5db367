import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { UpstreamResponse } from "../../src/upstream/exchange.ts";
import { endlessStream, redirect, silent } from "../support/faults.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { type Asking, createAsking, question, rejection, shortMs } from "./asking.ts";

let upstream: ScriptedUpstream;
let asking: Asking;
beforeEach(async () => {
  upstream = await startUpstream();
  asking = createAsking({ url: `${upstream.url}?version=1`, deadlines: { total: shortMs.total } });
});
afterEach(async () => {
  await asking.close();
  await upstream.close();
});

const kibibyte = 1024;
const get = {
  path: "/models",
  method: "GET",
  headers: { authorization: "Bearer sk-any" },
  body: null,
  signal: new AbortController().signal,
  sent: { unrefused: 0 },
  headMs: 1_000,
  maxBytes: 100 * kibibyte,
} as const;

async function bytesOf({ body }: UpstreamResponse): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

describe("the way out", () => {
  test("carries a request below the base path, with its query, and the answer as it is", async () => {
    const answer = await asking.transport.send(get);
    expect(answer.status).toBe(200);
    expect(answer.headers["x-request-id"]).toBe("req_1");
    const list: unknown = JSON.parse((await bytesOf(answer)).toString());
    expect(list).toMatchObject({ object: "list" });
    expect(upstream.requests).toMatchObject([{ method: "GET", path: "/v1/models?version=1" }]);
  });

  test("gives a redirect back as an answer like any other", async () => {
    upstream.behave(redirect(307, "http://127.0.0.1:9/"));
    const answer = await asking.transport.send(get);
    expect([answer.status, answer.headers.location]).toEqual([307, "http://127.0.0.1:9/"]);
    expect(await bytesOf(answer)).toHaveLength(0);
  });

  test("ends a body that has more bytes than it may, and the connection with it", async () => {
    upstream.behave(endlessStream(10_000 * kibibyte));
    const body = JSON.stringify({ ...question, stream: true });
    const post = { ...get, path: "/chat/completions", method: "POST", body } as const;
    const answer = await asking.transport.send(post);
    expect((await rejection(bytesOf(answer))).code).toBe("upstream_bad_answer");
    const closed = { label: "closed", timeoutMs: 1_000 };
    await upstream.waitFor(() => upstream.closedEarly.count === 1, closed);
  });

  test("ends a call by its total even where its head may take longer", async () => {
    upstream.behave(silent);
    const { code } = await rejection(asking.transport.send({ ...get, headMs: 60_000 }));
    expect(code).toBe("upstream_timeout");
  });

  test("has nothing to say to who has left", async () => {
    const gone = { ...get, signal: AbortSignal.abort() };
    expect((await rejection(asking.transport.send(gone))).code).toBe("canceled");
    expect(upstream.requests).toEqual([]);
  });

  test("is closed once it was closed", async () => {
    await asking.transport.send(get).then(bytesOf);
    await asking.close();
    expect((await rejection(asking.transport.send(get))).code).toBe("upstream_unreachable");
  });
});
