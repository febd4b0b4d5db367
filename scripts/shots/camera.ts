/** A browser that takes pictures of the demo's pages. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { chromiumProgram } from "../../test/support/needs.ts";
import type { Demo } from "../demo/start.ts";
import { createQuietWait } from "./quiet.ts";
import type { ShotVariant } from "./variants.ts";
import type { ShotView } from "./views.ts";

const HEIGHT = { 1280: 720, 390: 844 } as const;
const PAGE_WAIT_MS = 60_000;

export interface Camera {
  /** Takes pictures of one variant, one after the other. */
  take(
    variant: ShotVariant,
    views: readonly ShotView[],
    fileOf: (view: ShotView) => string,
  ): Promise<void>;
  close(): Promise<void>;
}

export async function openCamera(demo: Demo): Promise<Camera> {
  const browser = await chromium.launch({
    executablePath: chromiumProgram,
    // a container has no sandbox of its own for a browser of root
    args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
  });
  let looks = 0;
  return {
    async take(variant, views, fileOf) {
      looks += 1;
      const context = await browser.newContext({
        viewport: { width: variant.width, height: HEIGHT[variant.width] },
        locale: variant.language.replace("_", "-"),
        timezoneId: "UTC",
        colorScheme: variant.scheme,
        reducedMotion: "reduce",
        // the limits of one address would refuse the questions of all
        extraHTTPHeaders: { "x-forwarded-for": `192.0.2.${100 + looks}` },
      });
      context.setDefaultTimeout(PAGE_WAIT_MS);
      try {
        for (const view of views) await takeOne(context, demo, variant, view, fileOf(view));
      } finally {
        await context.close();
      }
    },
    close: () => browser.close(),
  };
}

async function takeOne(
  context: BrowserContext,
  demo: Demo,
  { language }: ShotVariant,
  { path, isWhole, prepare }: ShotView,
  file: string,
): Promise<void> {
  const page = await context.newPage();
  const isQuiet = createQuietWait(page);
  await page.goto(demo.url + path);
  await prepare?.(page, demo, language);
  await isQuiet();
  mkdirSync(dirname(file), { recursive: true });
  await page.screenshot({ path: file, fullPage: isWhole, animations: "disabled", caret: "hide" });
  await page.close();
}
