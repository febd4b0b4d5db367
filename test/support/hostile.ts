/** Requests made to keep the thread busy: long headers and bodies of one repeated part. */
import { expect } from "vitest";
import type { Dialect } from "../../src/http/dialect.ts";
import { rawExchange } from "./http.ts";
import { startScene } from "./scene.ts";

/** Above this, Node itself answers 431. */
const HEADER_BYTES = 15_000;
const BODY_BYTES = 65_536;

const HEADERS = `authorization api-key openai-token access-token accept-language accept content-type
  content-encoding cookie forwarded x-forwarded-for user-agent origin upgrade connection expect te
  if-none-match idempotency-key x-request-id sec-websocket-protocol sec-websocket-extensions
  sec-websocket-key`.split(/\s+/);
const STARTS: Readonly<Record<string, string>> = {
  authorization: "bearer\u00a0",
  forwarded: 'for="',
  "content-type": "application/",
  "accept-language": "zh-",
};
const PARTS = [
  "\u00a0",
  "\t",
  ",",
  ";",
  "a",
  "a-",
  "a,",
  ";q=0.",
  "\\",
  '="',
  "for=a;",
  ", ",
  "1.1.1.1,",
  "parley-",
  "[",
  "/",
];

const BODIES = [
  "[".repeat(BODY_BYTES),
  `{"user_content":"${" ".repeat(BODY_BYTES)}"}`,
  `{"content":"${"\\\\".repeat(BODY_BYTES / 2)}"}`,
  `{"messages":[${'{"role":"user","content":"a"},'.repeat(2_000)}{}]}`,
  `{${Array.from({ length: 5_000 }, (_, at) => `"k${at}":${at}`).join(",")}}`,
  `{"prompt":${"9".repeat(BODY_BYTES)}}`,
  `{"content":"data:image/${"a".repeat(BODY_BYTES)}","prompt":"<|ask|>${"$".repeat(5_000)}"}`,
  `{"model":"${"sk-".repeat(BODY_BYTES / 3)}","prompt":"a","content":"a","user_content":"a"}`,
];

interface HostileRequest {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The routes, one after the other, each with the next header, part and body. */
function* hostileRequests(
  dialects: readonly Dialect[],
  count: number,
): Generator<HostileRequest, void> {
  const routes = dialects.flatMap((dialect) => dialect.routes);
  for (let at = 0; at < count; at += 1) {
    const { method = "", path = "" } = routes[at % routes.length] ?? {};
    const header = HEADERS[at % HEADERS.length] ?? "";
    const part = PARTS[at % PARTS.length] ?? "";
    const value = (STARTS[header] ?? "") + part.repeat(HEADER_BYTES / part.length);
    const body = method === "GET" ? "" : (BODIES[at % BODIES.length] ?? "");
    const own = path.replaceAll(/:\w+(\{[^}]*\})?/g, "some");
    const type = header === "content-type" ? "" : "content-type: application/json\r\n";
    const close = header === "connection" ? "" : "connection: close\r\n";
    const head = `${method} ${own} HTTP/1.1\r\nhost: x\r\n${type}${close}${header}: ${value}x\r\n`;
    const bytes = Buffer.from(`${head}content-length: ${body.length}\r\n\r\n${body}`, "latin1");
    yield { name: `${method} ${own} ${header} ${JSON.stringify(part)}`, bytes };
  }
}

/** Milliseconds of this thread that a request costs, client included. */
async function threadCost(port: number, { name, bytes }: HostileRequest): Promise<number> {
  const before = process.threadCpuUsage();
  const text = await rawExchange(port, bytes, { timeoutMs: 20_000, idleMs: 50, label: name });
  if (!text.startsWith("HTTP/1.1 ")) throw new Error(`${name}: ${text.slice(0, 100)}`);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

const MAX_MS = 50;
/** Of several tries the cheapest counts: the others may have paid for compiling or collecting. */
const TRIES = 3;

export async function expectQuick(count: number): Promise<void> {
  const { parley } = await startScene({
    ADMIN_TOKEN: "admin-0123456789",
    WS_ORIGINS: "https://a.example",
  });
  const slow: string[] = [];
  for (const request of hostileRequests(parley.parley.dialects, count)) {
    let leastMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && leastMs > MAX_MS; tries += 1) {
      leastMs = Math.min(leastMs, await threadCost(parley.port, request));
    }
    if (leastMs > MAX_MS) slow.push(`${request.name}: ${leastMs} ms`);
  }
  expect(slow).toEqual([]);
}
