import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { createRouter } from "../../src/http/router.ts";

function createApp() {
  const app = new Hono({ router: createRouter() });
  app.get("/fixed", (c) => c.text("fixed"));
  app.all("/fixed", (c) => c.text("another method"));
  app.get("/:name/chat", (c) => c.text(c.req.param("name")));
  app.all("/v1/*", (c) => c.text("below"));
  app.notFound((c) => c.text("nothing", 404));
  return async (method: string, path: string) => (await app.request(path, { method })).text();
}

describe("the router", () => {
  test("finds the first handler of a path, each time it is asked", async () => {
    const ask = createApp();
    for (const _ of [1, 2]) {
      expect(await ask("GET", "/fixed")).toBe("fixed");
      expect(await ask("POST", "/fixed")).toBe("another method");
      expect(await ask("GET", "/v1/anything")).toBe("below");
      expect(await ask("GET", "/unknown")).toBe("nothing");
    }
  });

  test("gives each path its own parameters", async () => {
    const ask = createApp();
    expect(await ask("GET", "/one/chat")).toBe("one");
    expect(await ask("GET", "/two/chat")).toBe("two");
    expect(await ask("GET", "/one/chat")).toBe("one");
  });
});
