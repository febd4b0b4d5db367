/** A real browser, which notes whatever a page must not do. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout } from "node:timers/promises";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { onTestFinished } from "vitest";
import { closeAfterFile } from "./cleanup.ts";
import { chromiumProgram } from "./needs.ts";

const require = createRequire(import.meta.url);
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
/** Chromium says this of each status from 400 on; pages show such a status in words. */
const STATUS_NOTE = /^Failed to load resource: the server responded with a status of/;
const PAGE_WAIT_MS = 20_000;
const SLOW_ANSWER_MS = 500;
const SLOW_CPU = 3;

let starting: Promise<Browser> | null = null;

/** One browser for all tests of a file. */
function browser(): Promise<Browser> {
  starting ??= chromium
    // a container has no sandbox of its own for a browser of root
    .launch({ executablePath: chromiumProgram, args: ["--no-sandbox", "--disable-gpu"] })
    .then((started) =>
      closeAfterFile({
        ...started,
        newContext: started.newContext.bind(started),
        close: async () => {
          starting = null;
          await started.close();
        },
      } as Browser),
    );
  return starting;
}

export interface OpenPage {
  readonly page: Page;
  /** Console errors, uncaught errors, refusals of the policy, and requests to other origins. */
  readonly wrongs: string[];
}

/** Shows which tests look before a page is ready: `SLOW_PAGES=1 npm run test:browser`. */
async function slowDown(page: Page): Promise<void> {
  await page.context().route("**", async (route) => {
    await setTimeout(SLOW_ANSWER_MS);
    // the page may be gone by then
    await route.continue().catch(() => undefined);
  });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOW_CPU });
}

export async function openPage(
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await (await browser()).newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PAGE_WAIT_MS);
  if (process.env.SLOW_PAGES !== undefined) await slowDown(page);
  const wrongs: string[] = [];
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !STATUS_NOTE.test(text)) wrongs.push(text);
  });
  page.on("pageerror", (error) => wrongs.push(String(error)));
  page.on("dialog", (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const { origin } = new URL(url);
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`)) wrongs.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  await page.locator("main h1").waitFor();
  return { page, wrongs };
}

/** What axe finds wrong, as rule and place. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  const found = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
  const { violations } = found as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Waits for the focus, which comes after what is drawn. */
export const hasFocus = (place: Locator): Promise<boolean> =>
  place
    .and(place.page().locator(":focus"))
    .waitFor()
    .then(
      () => true,
      () => false,
    );
