/** Below a path that a proxy takes away, as `/ai/` here. */
import { createServer, request } from "node:http";
import { expect, test } from "vitest";
import { openPage } from "../support/browser.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { startScene } from "../support/scene.ts";

const PREFIX = "/ai";

async function startPrefixProxy(port: number): Promise<string> {
  const server = createServer((incoming, response) => {
    const { method, headers, url = "" } = incoming;
    const path = url.startsWith(`${PREFIX}/`) ? url.slice(PREFIX.length) : "/outside";
    const sent = request({ host: "127.0.0.1", port, method, headers, path }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    sent.on("error", () => response.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closeAfterFile({
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return `http://127.0.0.1:${address.port}${PREFIX}`;
}

test.each(["api", ""])(
  "the pages work below a prefix, ROUTE=%s",
  { tags: "chromium" },
  async (ROUTE) => {
    const { parley } = await startScene({ ROUTE });
    const base = await startPrefixProxy(parley.port);
    const { page, wrongs } = await openPage(`${base}/`);
    await page.keyboard.type("Hello?");
    await page.keyboard.press("Enter");
    await page.locator('[aria-busy="false"]:has-text("echo: Hello?")').waitFor();
    await page.getByRole("link", { name: "Status" }).click();
    await page.locator(".state").waitFor();
    await page.getByRole("link", { name: "My token" }).click();
    await page.locator('input[type="password"]').waitFor();
    expect(page.url()).toBe(`${base}/me`);
    await page.goto(`${base}/me/`);
    expect(page.url()).toBe(`${base}/me`);
    await page.locator("header select").selectOption("ru");
    await page.locator('html[lang="ru"]').waitFor();
    expect(wrongs).toEqual([]);
  },
);
