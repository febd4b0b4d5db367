/** The viewer of /openapi.json as people use it. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { openPage, violationsOf } from "../support/browser.ts";
import { heldUntil } from "../support/held.ts";
import { startPrefixProxy } from "../support/page-proxy.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";

const ADMIN_TOKEN = "admin-0123456789-0123456789";
const HOSTILE = `</script><img src=x onerror=alert(1)><b>{{name}}`;

const send = (page: Page) => page.getByRole("button", { name: "Send", exact: true });
const reply = (page: Page) => page.getByRole("region", { name: "Response", exact: true });
const focused = (page: Page) => page.evaluate("document.activeElement.textContent");
const opened = (page: Page, path: string) =>
  page.locator(`.api-path:has-text("${path}")`).waitFor();

describe("the viewer of /openapi.json", { tags: "chromium" }, () => {
  test("finds a request by a field of its body, opens it, and goes back", async () => {
    const { parley } = await startScene();
    const { page, wrongs } = await openPage(`${parley.origin}/docs`);
    await page.locator("nav a[href^='#']").first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("continuous_dialogue");
    await page.getByText("Found: 1").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await opened(page, "POST /");
    expect(new URL(page.url()).hash).toBe("#/envelope/post");
    await expect.poll(() => focused(page)).toBe("Asks a question");
    await page.goBack();
    await page.getByRole("heading", { name: "API", exact: true }).waitFor();
    await expect.poll(() => focused(page)).toBe("API");
    expect(wrongs).toEqual([]);
  });

  test("opens the request that a link names, with fields inside of fields", async () => {
    const { parley } = await startScene();
    const link = `${parley.origin}/docs#/openai/post/v1/chat/completions`;
    const { page } = await openPage(link);
    await opened(page, "/v1/chat/completions");
    await page.locator("summary", { hasText: "stream_options" }).click();
    await page.getByText("include_usage").waitFor();
    await page.goto(`${parley.origin}/docs#/openai/post/nothing`);
    await page.getByText("There is no such request").waitFor();
  });

  test("shows the heading of a request that was chosen on a narrow screen", async () => {
    const { parley } = await startScene();
    const viewport = { width: 390, height: 800 };
    const { page } = await openPage(`${parley.origin}/docs`, { viewport });
    await page.locator('nav a[href$="/post/v1/images/edits"]').click();
    await opened(page, "/v1/images/edits");
    const top = () => page.evaluate("document.querySelector('h1').getBoundingClientRect().top");
    await expect.poll(() => focused(page)).toContain("image");
    expect(await top()).toBeGreaterThanOrEqual(0);
    expect(await top()).toBeLessThan(800);
    await page.goBack();
    await page.getByRole("heading", { name: "API", exact: true }).waitFor();
    await page.goForward();
    await opened(page, "/v1/images/edits");
    await expect.poll(() => focused(page)).toContain("image");
    expect(await top()).toBeLessThan(800);
  });

  test("shows a stream as it comes, and stops it without losing the focus", async () => {
    const go = Promise.withResolvers<void>();
    const { parley, upstream } = await startScene({}, { behaviour: heldUntil(go.promise) });
    const { page, wrongs } = await openPage(`${parley.origin}/docs#/envelope/post`);
    await page.getByLabel("Stream the answer").check();
    await send(page).click();
    await reply(page).getByText('"delta"').waitFor();
    await expect.poll(() => focused(page)).toBe("Stop");
    await page.keyboard.press("Enter");
    await reply(page).getByText("Stopped.").waitFor();
    await expect.poll(() => focused(page)).toBe("Send");
    await upstream.waitFor(() => upstream.closedEarly.count === 1, {
      label: "the end of the answer",
      timeoutMs: 5_000,
    });
    go.resolve();
    expect(wrongs).toEqual([]);
  });

  test("sends the example as it stands, with the operator's model", async () => {
    const { parley, upstream } = await startScene({ MODEL: "gpt-4.1-mini" });
    const { page } = await openPage(`${parley.origin}/docs#/envelope/post`);
    await send(page).click();
    await reply(page).getByText("Complete.").waitFor();
    expect(await reply(page).innerText()).toContain("echo: Say hello.");
    expect(await reply(page).innerText()).toContain("x-request-id");
    expect(upstream.requests.at(-1)?.json).toMatchObject({ model: "gpt-4.1-mini" });
  });

  test("asks for a key once, keeps it in memory, and puts it into the body where it belongs", async () => {
    const { parley, upstream } = await startScene({ API_KEY: "" });
    const { page, wrongs } = await openPage(`${parley.origin}/docs#/envelope/post`);
    expect(await page.locator("pre").first().innerText()).toContain("YOUR_KEY");
    await page.locator('input[type="password"]').fill(OWN_KEY);
    await send(page).click();
    await reply(page).getByText("Complete.").waitFor();
    await page.locator('nav a[href$="/post/v1/chat/completions"]').click();
    await opened(page, "/v1/chat/completions");
    await send(page).click();
    await reply(page).getByText("Complete.").waitFor();
    const keys = upstream.requests.map(({ headers }) => headers.authorization);
    expect(keys).toEqual([`Bearer ${OWN_KEY}`, `Bearer ${OWN_KEY}`]);
    expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain(OWN_KEY);
    expect(page.url()).not.toContain(OWN_KEY);
    expect(await page.content()).not.toContain(OWN_KEY);
    expect(wrongs).toEqual([]);
  });

  test("shows no secret that has a header of its own", async () => {
    const { parley } = await startScene({ ACCESS_TOKEN: "open-sesame-123" });
    const { page } = await openPage(`${parley.origin}/docs#/completion/post/chat_complete`);
    await page.locator("summary", { hasText: "Parameters" }).click();
    await page.getByLabel("access-token").fill("open-sesame-123");
    expect(await page.locator("pre").first().innerText()).toContain("access-token: YOUR_SECRET");
    expect(await page.content()).not.toContain("open-sesame-123");
    await send(page).click();
    await reply(page).getByText("echo: Say hello.").first().waitFor();
  });

  test("asks before it deletes", async () => {
    const { parley } = await startScene();
    const asked: string[] = [];
    const { page } = await openPage(`${parley.origin}/docs#/chats/delete/conversations`);
    page.on("request", (request) => asked.push(request.method()));
    await page.locator('input[type="password"]').fill(OWN_KEY);
    await send(page).click();
    await page.getByRole("dialog").getByText("DELETE /conversations").waitFor();
    await expect.poll(() => focused(page)).toBe("Cancel");
    await page.keyboard.press("Escape");
    await expect.poll(() => focused(page)).toBe("Send");
    expect(asked).toEqual([]);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
    await reply(page).getByText("Complete.").waitFor();
    expect(await reply(page).innerText()).toContain('"deleted": 0');
    expect(asked).toEqual(["DELETE"]);
  });

  test("asks before it uses the operator's API, whose token it never stores", async () => {
    const { parley } = await startScene({ ADMIN_TOKEN });
    const { page } = await openPage(`${parley.origin}/docs#/admin/get/admin/tokens`);
    await page.getByLabel("ADMIN_TOKEN").fill(ADMIN_TOKEN);
    expect(await page.getByLabel("Remember on this device").count()).toBe(0);
    await send(page).click();
    await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
    await reply(page).getByText('"tokens": []').waitFor();
  });

  test("says in the page's language that a key is wrong", async () => {
    const { parley } = await startScene();
    const link = `${parley.origin}/docs#/openai/get/usage`;
    const { page } = await openPage(link, { locale: "zh-CN" });
    await page.locator('input[type="password"]').fill("parley-nothing");
    await page.keyboard.press("Enter");
    await page.locator('article [role="alert"]:not(:empty)').waitFor();
    expect(await page.locator('article [role="alert"]').innerText()).toMatch(/[一-鿿]/);
    expect(await page.locator("article strong").innerText()).toContain("401");
  });

  test("says when a limit lets calls through again", async () => {
    const { parley } = await startScene({ MINUTE_LIMIT: "1" });
    const { page, wrongs } = await openPage(`${parley.origin}/docs#/envelope/post`);
    await send(page).click();
    await reply(page).getByText("Complete.").waitFor();
    await send(page).click();
    await reply(page)
      .getByText(/Try again in \d+ sec/)
      .first()
      .waitFor();
    expect(await reply(page).getByRole("alert").innerText()).not.toBe("");
    expect(await reply(page).innerText()).toContain("HTTP status 429");
    expect(wrongs).toEqual([]);
  });

  test("sends a file in a form", async () => {
    const { parley, upstream } = await startScene();
    const { page } = await openPage(`${parley.origin}/docs#/openai/post/v1/files`);
    await page.locator('input[type="password"]').fill(OWN_KEY);
    const buffer = Buffer.from('{"custom_id":"1"}\n');
    const file = { name: "batch.jsonl", mimeType: "application/jsonl", buffer };
    await page.locator('input[type="file"]').setInputFiles(file);
    await send(page).click();
    await reply(page).getByText("Complete.").waitFor();
    const { headers } = upstream.requests.at(-1) ?? {};
    expect(headers?.["content-type"]).toContain("multipart/form-data");
  });

  test("refuses a body that is no JSON before it is sent", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/docs#/envelope/post`);
    await page.locator("article textarea").fill("{");
    await page.getByText("The body is not valid JSON.").waitFor();
    expect(await send(page).isDisabled()).toBe(true);
  });

  test("says that the document can't be had, and gets it later", async () => {
    const { parley } = await startScene();
    const { page } = await openPage(`${parley.origin}/me`);
    await page.route("**/openapi.json", (route) => route.abort());
    await page.getByRole("link", { name: "API" }).click();
    await page.getByText("The server cannot be reached.").waitFor();
    await page.unroute("**/openapi.json");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("nav a[href^='#']").first().waitFor();
  });

  test("works below a prefix that a proxy takes away", async () => {
    const { parley } = await startScene({ ROUTE: "api" });
    const base = await startPrefixProxy(parley.port);
    const { page, wrongs } = await openPage(`${base}/docs/#/envelope/post/api`);
    expect(page.url()).toBe(`${base}/docs#/envelope/post/api`);
    expect(await page.locator("pre").first().innerText()).toContain(`'${base}/api'`);
    await send(page).click();
    await reply(page).getByText("echo: Say hello.").first().waitFor();
    expect(wrongs).toEqual([]);
  });

  test("shows markup in the document as text", async () => {
    const { parley } = await startScene({ MODEL: HOSTILE, ALLOWED_MODELS: HOSTILE });
    const { page, wrongs } = await openPage(`${parley.origin}/docs#/envelope/post`);
    await opened(page, "POST /");
    expect(await page.locator("main").innerText()).toContain("<img src=x onerror=alert(1)>");
    expect(await page.locator("img").count()).toBe(0);
    expect(wrongs).toEqual([]);
  });
});

const views = [
  ["light", 1280],
  ["dark", 390],
] as const;
const places = ["", "#/envelope/post", "#/openai/post/v1/images/edits"];

describe.each(places)("the viewer at %j", { tags: "chromium" }, (place) => {
  test.each(views)("has nothing that axe finds wrong: %s, %d px", async (colors, width) => {
    const { parley } = await startScene({ ADMIN_TOKEN, MINUTE_LIMIT: "60" });
    const { page, wrongs } = await openPage(`${parley.origin}/docs${place}`, {
      colorScheme: colors,
      viewport: { width, height: 800 },
    });
    await page.locator(".api-main h1").waitFor();
    for (const summary of await page.locator("article summary").all()) await summary.click();
    expect(await violationsOf(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    expect(wrongs).toEqual([]);
  });
});

test.each(["en", "zh-CN", "zh-TW", "ru"])(
  "the viewer has every word in %s",
  { tags: "chromium" },
  async (tag) => {
    const { parley } = await startScene({ ADMIN_TOKEN });
    const { page, wrongs } = await openPage(`${parley.origin}/docs#/admin/delete/admin/tokens/:id`);
    await page.locator("article").waitFor();
    await page.locator("header select").selectOption(tag);
    await page.locator(`html[lang="${tag}"]`).waitFor();
    // a key that has no text is shown as it is
    expect(await page.locator("main").innerText()).not.toMatch(/\b(viewer|visitor)\.\w/);
    expect(wrongs).toEqual([]);
  },
);
