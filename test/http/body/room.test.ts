/** Bodies take room as they arrive. */
import { channel } from "node:diagnostics_channel";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { describe, expect, test } from "vitest";
import { closeAfterFile } from "../../support/cleanup.ts";
import { postJson } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";

const WAIT_MS = 10_000;
const question = { user_content: "x".repeat(20_000) };
const overloaded = { status: 503, headers: { "retry-after": "2" } };

/** Begins an upload and sends only so many bytes of it. */
async function upload(
  url: string,
  bytes: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<ClientRequest> {
  const sent = request(url, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", ...headers },
  });
  closeAfterFile({ close: () => void sent.destroy() });
  sent.on("error", () => undefined);
  const written = new Promise((resolve) => sent.write(Buffer.alloc(bytes, " "), resolve));
  await written;
  return sent;
}

/** The bytes that servers of this process have read of requests that began since. */
function countArrivals(): () => number {
  const sockets = new Set<IncomingMessage["socket"]>();
  const onRequest = (message: unknown) =>
    sockets.add((message as { request: IncomingMessage }).request.socket);
  const requests = channel("http.server.request.start");
  requests.subscribe(onRequest);
  closeAfterFile({ close: () => void requests.unsubscribe(onRequest) });
  return () => [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
}

describe("the room for bodies", () => {
  test.each([
    ["chunked", {}],
    ["of an announced mebibyte", { "content-length": "1048576" }],
  ])("is not taken by 64 uploads of one byte, %s", async (_name, headers) => {
    const { url, parley } = await startScene();
    await Promise.all(Array.from({ length: 64 }, () => upload(url, 1, headers)));
    await expect.poll(() => parley.parley.openCalls.count, { timeout: WAIT_MS }).toBe(64);
    expect((await postJson(url, question)).status).toBe(200);
  });

  test("is a quarter for each address, of what has arrived", async () => {
    const { url, parley } = await startScene({ MAX_BODY_BYTES: "20000000" });
    const arrived = countArrivals();
    const [first] = await Promise.all([1, 2].map(() => upload(url, 9_990_000)));
    // a question before the last of it would be let in, and the upload refused
    await expect.poll(arrived, { timeout: WAIT_MS }).toBeGreaterThan(2 * 9_990_000);
    expect(await postJson(url, question)).toMatchObject(overloaded);
    expect((await postJson(url, { user_content: "hi" })).status).toBe(200);
    const other = await postJson(url, question, { localAddress: "127.0.0.2" });
    expect(other.status).toBe(200);
    first?.destroy();
    await expect.poll(() => parley.parley.openCalls.count, { timeout: WAIT_MS }).toBe(1);
    expect((await postJson(url, question)).status).toBe(200);
  });
});
