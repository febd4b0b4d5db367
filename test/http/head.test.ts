/** HEAD is GET without a body, on every route that a server has. */
import { expect, test } from "vitest";
import { rawExchange } from "../support/http.ts";
import { startScene } from "../support/scene.ts";

const ADMIN_TOKEN = "admin-0123456789-0123456789";
const MAX_TRIES = 3;
const credential = (path: string) =>
  path.startsWith("/admin") ? `authorization: Bearer ${ADMIN_TOKEN}\r\n` : "api-key: sk-caller\r\n";

/** Apart from what differs between any two responses. */
const headersOf = (head: string) =>
  head
    .split("\r\n")
    .filter((line) => !/^(date|x-request-id|ratelimit|access-control-max)/i.test(line))
    .sort();

async function exchange(port: number, method: string, path: string) {
  const host = `Host: x\r\n${credential(path)}`;
  // the second request is answered only if the first response was in order
  const after = `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  const bytes = `${method} ${path} HTTP/1.1\r\n${host}\r\n${after}`;
  const options = { timeoutMs: 10_000, idleMs: 5_000, label: `${method} ${path}` };
  const text = await rawExchange(port, bytes, options);
  const end = text.lastIndexOf("HTTP/1.1 200 OK");
  const first = text.slice(0, end);
  const bodyAt = first.indexOf("\r\n\r\n");
  return {
    headers: headersOf(first.slice(0, bodyAt)),
    body: first.slice(bodyAt + 4),
    after: text.slice(end).includes('{"status":"ok"}'),
  };
}

/** A number may gain a digit between the two, as that of milliseconds does: then once more. */
async function bothOf(port: number, path: string) {
  const lengthIn = ({ headers }: { readonly headers: readonly string[] }) =>
    headers.find((line) => /^content-length:/i.test(line));
  for (let tries = 1; ; tries += 1) {
    const got = await exchange(port, "GET", path);
    const head = await exchange(port, "HEAD", path);
    if (lengthIn(got) === lengthIn(head) || tries === MAX_TRIES) return { got, head };
  }
}

test("HEAD has GET's status and headers, no body, and the next request is answered", async () => {
  const env = { ROUTE: "api", ADMIN_TOKEN, CHATS_ACCESS: "open", METRICS_TOKEN: "metrics" };
  const { parley } = await startScene(env);
  const paths = parley.parley.dialects
    .flatMap(({ routes }) => routes)
    .filter(({ method, refuses }) => method === "GET" && refuses !== true)
    .map(({ path }) => path.replace(":asset", "start.js").replaceAll(/:\w+(\{[^}]*\})?/g, "some"));
  expect(paths.length).toBeGreaterThan(20);
  for (const path of [...paths, "/v1/none", "/none/at/all"]) {
    const { got, head } = await bothOf(parley.port, path);
    // a streamed GET has no length to announce, not even 0
    const streamed = got.headers.includes("Transfer-Encoding: chunked");
    const expected = got.headers.filter(
      (line) => !streamed || line !== "Transfer-Encoding: chunked",
    );
    const hasLength = head.headers.some((line) => /^content-length:/i.test(line));
    expect([path, hasLength]).toEqual([path, !streamed]);
    expect([path, head.headers, head.body, head.after]).toEqual([
      path,
      streamed ? expect.arrayContaining(expected) : expected,
      "",
      true,
    ]);
  }
});
