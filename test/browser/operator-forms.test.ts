/** The operator's page: every place where something is listed, shown or entered. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { admin, bearer, startTokenScene } from "../dialects/openai/support.ts";
import { violationsOf } from "../support/browser.ts";
import { openOperator } from "./operator-support.ts";

const HOSTILE = `"><img src=x onerror=alert(1)><b>{{name}}</b> ${"x".repeat(60)}`;
const SETTLED = "main [aria-busy=true], main h1:empty";

async function startFullScene() {
  const scene = await startTokenScene();
  const { origin } = scene.parley;
  const set = (method: string, path: string, body: object) => admin(origin, method, path, body);
  await set("POST", "/groups", { name: HOSTILE, comment: HOSTILE, requests_per_day: 5 });
  const named = {
    name: HOSTILE,
    comment: HOSTILE,
    group: HOSTILE,
    models: [HOSTILE, "gpt-4o-mini"],
  };
  const { id, token } = await scene.issue({ ...named, money_per_month: "1", expires: "30d" });
  await scene.ask(undefined, { headers: bearer(token) });
  await set("POST", "/prices", { model: HOSTILE, input: "1", output: "2", audio_input: "3" });
  const url = `https://a.example/v1?${"x".repeat(80)}`;
  await set("POST", "/upstreams", { name: "spare", url, models: [HOSTILE], keys: ["sk-1"] });
  await set("PUT", `/routes/${encodeURIComponent(HOSTILE)}`, {
    to: "spare:a@2, default:b; spare:c",
  });
  const name = encodeURIComponent(HOSTILE);
  const places = [
    ["tokens", "tokens/new", `tokens/${id}`, `tokens/${id}/edit`, `tokens/like/${id}`],
    ["groups", "groups/new", `groups/show/${name}`, `groups/edit/${name}`],
    ["prices", "prices/set", `prices/set/${name}`, "prices/import", `prices/model/${name}`],
    ["routing", "routing/upstream", "routing/upstream/spare", "routing/edit/spare"],
    ["routing/route", `routing/route/${name}`],
  ].flat();
  return { origin, places };
}

/** Goes there as a link would, without loading the page anew. */
async function go(page: Page, place: string): Promise<void> {
  const answers = page.waitForLoadState("networkidle");
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`);
  await answers;
  await page.locator(SETTLED).first().waitFor({ state: "detached" });
  await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
}

const looks = [
  { locale: "en", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { locale: "ru", colorScheme: "dark", viewport: { width: 390, height: 844 } },
  { locale: "zh-CN", colorScheme: "light", viewport: { width: 390, height: 844 } },
  { locale: "zh-TW", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
] as const;

describe("lists and forms", { tags: "chromium" }, () => {
  test.each(looks)(
    "are right in $locale, $colorScheme, $viewport.width px",
    async (look) => {
      const { origin, places } = await startFullScene();
      const { page, wrongs } = await openOperator(origin, "#/overview", look);
      const found: unknown[] = [];
      for (const place of places) {
        await go(page, place);
        const scrollWidth = Number(await page.evaluate("document.documentElement.scrollWidth"));
        const text = await page.locator("main").innerText();
        found.push(
          ...(await violationsOf(page)).map((one) => `${place} ${one}`),
          ...(scrollWidth > look.viewport.width ? [`${place} is ${scrollWidth} px wide`] : []),
          ...(text.match(/\b(operator|holder|page)\.[a-z_.]+/g) ?? []).map(
            (key) => `${place} ${key}`,
          ),
          ...(look.locale.startsWith("zh") && !/\p{Script=Han}/u.test(text) ? [place] : []),
        );
        expect(await page.locator("main img, main b").count(), place).toBe(0);
      }
      expect(found).toEqual([]);
      expect(wrongs).toEqual([]);
    },
    180_000,
  );
});
