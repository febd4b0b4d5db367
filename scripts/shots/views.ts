/** What pictures are taken of, and how each page gets there. */
import type { Page } from "playwright-core";
import type { Demo } from "../demo/start.ts";
import type { ShotLanguage } from "./variants.ts";

export interface ShotView {
  readonly name: string;
  /** Without a slash at its begin. */
  readonly path: string;
  readonly isWhole: boolean;
  prepare?(page: Page, demo: Demo, language: ShotLanguage): Promise<void>;
}

const questions: Readonly<Record<ShotLanguage, string>> = {
  en: "How do HTTP/1.1, HTTP/2 and HTTP/3 differ?",
  zh_CN: "HTTP/1.1、HTTP/2 和 HTTP/3 有什么区别？",
  zh_TW: "HTTP/1.1、HTTP/2 與 HTTP/3 有什麼差異？",
  ru_RU: "Чем отличаются HTTP/1.1, HTTP/2 и HTTP/3?",
};

const operatorViews = [
  "overview",
  "tokens",
  "groups",
  "prices",
  "routing",
  "calls",
  "changes",
  "system",
] as const;

/** In this order, since the operator stays signed in. */
export const shotViews: readonly ShotView[] = [
  // the composer stays in view, so that a picture of the whole page has it in the middle
  { name: "visitor", path: "", isWhole: false, prepare: askQuestion },
  { name: "holder", path: "me", isWhole: true, prepare: pasteToken },
  { name: "status", path: "status", isWhole: true },
  { name: "docs", path: "docs", isWhole: false },
  { name: "docs-request", path: "docs#/openai/post/v1/chat/completions", isWhole: true },
  { name: "sign-in", path: "admin", isWhole: true },
  { name: "operator-week", path: "admin#/overview/7d", isWhole: true, prepare: signIn },
  ...operatorViews.map((name) => ({
    name: `operator-${name}`,
    path: `admin#/${name}`,
    isWhole: name !== "calls" && name !== "prices",
    prepare: signIn,
  })),
  { name: "operator-token", path: "admin#/tokens", isWhole: true, prepare: openToken },
  { name: "operator-new-token", path: "admin#/tokens/new", isWhole: true, prepare: openForm },
];

async function askQuestion(page: Page, _demo: Demo, language: ShotLanguage): Promise<void> {
  const field = page.locator("main textarea").first();
  await field.fill(questions[language]);
  await field.press("Enter");
  await page.locator(".answer.open").waitFor();
  await page.locator(".answer:not(.open)").waitFor();
  // its begin is what a reader wants to see
  await page.evaluate("scrollTo(0, 0)");
}

async function pasteToken(page: Page, { holderToken }: Demo): Promise<void> {
  const field = page.locator("input[type=password]").first();
  await field.fill(holderToken);
  await field.press("Enter");
  await page.locator("main h2").first().waitFor();
}

async function openToken(page: Page, demo: Demo): Promise<void> {
  await signIn(page, demo);
  await page.getByRole("link", { name: demo.holder, exact: true }).click();
  await page.locator(".actions").waitFor();
}

/** With all its parts unfolded, and the error of what is missing. */
async function openForm(page: Page, demo: Demo): Promise<void> {
  await signIn(page, demo);
  await page.locator("main form").waitFor();
  for (const summary of await page.locator("main summary").all()) await summary.click();
  await page.locator("main form button.main").click();
  await page.locator("[aria-invalid=true]").waitFor();
}

async function signIn(page: Page, { adminToken }: Demo): Promise<void> {
  const field = page.locator("input[type=password]").first();
  const side = page.locator("nav.side");
  await side.or(field).first().waitFor();
  if (await side.isVisible()) return;
  await field.fill(adminToken);
  await field.press("Enter");
  await side.waitFor();
}
