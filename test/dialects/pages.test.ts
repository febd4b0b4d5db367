/** What a browser sees that opens an address; programs get the same as ever. */
import { describe, expect, test } from "vitest";
import { postJson } from "../support/http.ts";
import { startScene } from "../support/scene.ts";

const scene = await startScene({ ROUTE: "api" });
const { origin } = scene.parley;
const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const open = (path: string, headers: Record<string, string> = html) =>
  postJson(origin + path, undefined, { method: "GET", headers });

describe("an address that is no page", () => {
  test.each([
    ["/api", 403, "./"],
    ["/nothing", 404, "./"],
    ["/a/b?c=/d", 404, "../"],
    ["/a/b/", 404, "../../"],
  ])("%s is a short page for a browser", async (path, status, link) => {
    const page = await open(path, { ...html, "accept-language": "zh-CN" });
    expect(page.status).toBe(status);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(page.text).toContain(`<a href="${link}">返回首页</a>`);
    expect(page.text).not.toContain("<script");
    const program = await open(path, { accept: "*/*" });
    expect([program.status, program.headers["content-type"]]).toEqual([
      status,
      expect.stringContaining("application/json"),
    ]);
  });
});

describe("the sample of /chat_complete", () => {
  const sample = async (headers: Record<string, string>) =>
    /requests\.post\(&quot;(.*?)&quot;/.exec(
      (await open("/chat_complete", { ...html, ...headers })).text,
    )?.[1];

  test("has the address at which the page was opened", async () => {
    expect(await sample({})).toBe(`${origin}/chat_complete`);
    const behind = { "x-forwarded-proto": "https", "x-forwarded-prefix": "/ai/gate" };
    const secure = origin.replace("http:", "https:");
    expect(await sample(behind)).toBe(`${secure}/ai/gate/chat_complete`);
  });

  test("shows nothing that is not a part of an address", async () => {
    expect(await sample({ "x-forwarded-prefix": "/<b>" })).toBe(`${origin}/chat_complete`);
  });
});
