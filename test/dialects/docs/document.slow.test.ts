import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { type Scene, startScene } from "../../support/scene.ts";
import { operationsIn, readOpenAPI } from "./support.ts";

const ADMIN = { ADMIN_TOKEN: "admin-0123456789-0123456789" };
const settings = [{}, { ROUTE: "api", ...ADMIN }, { CHATS_ACCESS: "open", SHARED_KEY: "token" }];

const templateOf = (path: string) => path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, "{$1}");
/** What a server answers with something else than a refusal. A slash at the end is another spelling. */
function servedBy({ parley }: Scene): string[] {
  const routes = parley.parley.dialects.flatMap((dialect) => dialect.routes);
  const served = routes.filter((route) => route.refuses !== true || route.doc !== undefined);
  const all = served.map(({ method, path }) => `${method.toLowerCase()} ${templateOf(path)}`);
  return [...new Set(all)].filter((one) => !/\w\/$/.test(one));
}

describe.concurrent("/openapi.json", () => {
  test.each(settings)("names every route there is and no other: %j", async (env) => {
    const scene = await startScene(env);
    const document = await readOpenAPI(scene.parley.origin);
    const named = operationsIn(document).map(({ method, path }) => `${method} ${path}`);
    expect(named.sort()).toEqual(servedBy(scene).sort());
  });

  test.each(settings)("is OpenAPI 3.1: %j", async (env) => {
    const { parley } = await startScene(env);
    const result = await new Validator().validate(await readOpenAPI(parley.origin));
    expect(result.errors).toBeUndefined();
    expect(result.valid).toBe(true);
  });

  test("lists what callers look for first, and the operator's API last", async () => {
    const { parley } = await startScene(ADMIN);
    const { tags } = (await readOpenAPI(parley.origin)) as { tags?: readonly { name: string }[] };
    const names = tags?.map(({ name }) => name) ?? [];
    expect(names.slice(0, 3)).toEqual(["envelope", "openai", "anthropic"]);
    expect(names.at(-1)).toBe("admin");
    expect(names).toHaveLength(parley.parley.dialects.length);
  });

  test("says of each operation what it is, what it takes and how it fails", async () => {
    const { parley } = await startScene(ADMIN);
    const document = await readOpenAPI(parley.origin);
    const { paths } = document;
    const all = operationsIn(document);
    const ids = all.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+(?:_[a-z0-9]+)+$/);
    for (const { path, operation } of all) {
      expect(operation.summary.length).toBeGreaterThan(5);
      const named = operation.parameters?.filter((one) => one.in === "path") ?? [];
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(named.map(({ name }) => name).sort()).toEqual(inPath.sort());
    }
    const bodiless = all.filter(({ method, operation }) => {
      return method === "post" && operation.requestBody === undefined;
    });
    expect(bodiless.map(({ path }) => path).sort()).toEqual([
      "/admin/tokens/{id}/disable",
      "/admin/tokens/{id}/enable",
      "/v1/batches/{id}/cancel",
      "/v1/responses/{id}/cancel",
      "/{chat}/clear",
    ]);
    expect(paths["/{chat}/chat"]?.post?.responses).toMatchObject({
      200: { content: { "application/json": {}, "text/event-stream": {} } },
      401: { content: { "application/json": {} } },
      409: {},
      429: { headers: { "retry-after": {} } },
    });
  });

  test("does not let a client say where the server is", async () => {
    const { parley } = await startScene();
    const headers = { host: "evil.example" };
    const reply = await postJson(`${parley.origin}/openapi.json`, undefined, {
      method: "GET",
      headers,
    });
    expect(reply.text).not.toContain("evil.example");
    expect(reply.json).toMatchObject({ servers: [{ url: "/" }] });
  });

  test("is not counted by the limits", async () => {
    const { parley } = await startScene({ MINUTE_LIMIT: "1" });
    for (let times = 0; times < 3; times += 1) await readOpenAPI(parley.origin);
  });
});
