/** What a real browser does with the operator's cookie. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { startScene } from "../support/scene.ts";

const ADMIN_TOKEN = "admin-token-0123456789";

interface Sent {
  readonly method: string;
  readonly body?: unknown;
  readonly mode?: "no-cors";
  /** `text/plain` needs no preflight. */
  readonly type?: string;
}

/** The status, 0 where the page may not see it, or the error's name. */
function send(page: Page, url: string, sent: Sent): Promise<number | string> {
  const { method, body, mode = "cors", type = "application/json" } = sent;
  const options = {
    method,
    mode,
    credentials: "include",
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": type } }),
  };
  const script = `fetch(${JSON.stringify(url)}, ${JSON.stringify(options)})
    .then(({ status }) => status, ({ name }) => name)`;
  return page.evaluate(script);
}

/** A page of another port: the same site, another origin. */
async function startNeighbor(): Promise<string> {
  const server = createServer((_incoming, outgoing) => {
    outgoing.setHeader("content-type", "text/html");
    outgoing.end("<main><h1>Hello</h1></main>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closeAfterFile({ close: () => void server.close() });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`; // never text for TCP
}

test("our page acts with it, one of another port does not, and no script reads it", async () => {
  const { parley } = await startScene({ ADMIN_TOKEN });
  const { origin } = parley;
  const { page } = await openPage(`${origin}/me`);
  const tokens = `${origin}/admin/tokens`;
  const session = `${origin}/admin/session`;
  expect(await send(page, tokens, { method: "GET" })).toBe(401);
  expect(await send(page, session, { method: "POST", body: { token: ADMIN_TOKEN } })).toBe(200);
  expect(await send(page, tokens, { method: "GET" })).toBe(200);
  expect(await send(page, tokens, { method: "POST", body: { name: "ours" } })).toBe(201);
  expect(await page.evaluate("document.cookie")).toBe("");

  const neighbor = await page.context().newPage();
  await neighbor.goto(await startNeighbor());
  const theirs = { method: "POST", body: { name: "theirs" } };
  expect(await send(neighbor, tokens, { method: "GET" })).toBe("TypeError");
  expect(await send(neighbor, tokens, theirs)).toBe("TypeError");
  const plain = { ...theirs, mode: "no-cors", type: "text/plain" } as const;
  expect(await send(neighbor, tokens, plain)).toBe(0);
  expect(await send(neighbor, session, { method: "DELETE" })).toBe("TypeError");
  await parley.logged('"error":"admin_origin_forbidden"');

  const listed = await page.evaluate(
    `fetch(${JSON.stringify(tokens)}).then((reply) => reply.json())`,
  );
  expect(listed).toMatchObject({ tokens: [{ name: "ours" }] });
  expect(await send(page, session, { method: "DELETE" })).toBe(200);
  expect(await send(page, tokens, { method: "GET" })).toBe(401);
});
