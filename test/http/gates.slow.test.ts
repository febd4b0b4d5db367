/** Every route of a server passes every gate: the list is the server's own, so that none is left out. */
import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/read.ts";
import type { Dialect, Route } from "../../src/http/dialect.ts";
import { startGrpc } from "../support/grpc.ts";
import { postJson, type Reply, type SendOptions } from "../support/http.ts";
import { startScene } from "../support/scene.ts";

const ADMIN_TOKEN = "admin-0123456789-0123456789";
const SETTINGS = { ROUTE: "api", ADMIN_TOKEN, MAX_BODY_BYTES: "2048", METRICS_TOKEN: "metrics" };

/** What each route is expected to ask for; a route without a row fails, unless it is a plain page. */
interface Expected {
  readonly counted: boolean;
  /** What is answered without any credential: a route that anybody may use says null. */
  readonly refuses: 401 | 403 | 404 | null;
  /** An object; also a list; an object of any content type; also nothing; null: no body is read. */
  readonly body: "json" | "list" | "any" | "optional" | null;
}

const open = { counted: false, refuses: null, body: null } as const;
const operators = { counted: false, refuses: 401, body: null } as const;
const asks = { counted: true, refuses: null, body: "json" } as const;
const reads = { counted: true, refuses: null, body: null } as const;
const callers = { counted: true, refuses: 401, body: "json" } as const;
const own = { counted: true, refuses: 401, body: null } as const;

const table: Readonly<Record<string, Expected>> = {
  "GET /metrics": { ...open, refuses: 404 },
  "GET /me/": open,
  "GET /docs/": open,
  "GET /admin/": open,
  "GET /assets/:file{[\\w-]+\\.\\w+}": open,
  "POST /v1/messages": callers,
  "POST /v1/messages/count_tokens": callers,
  "POST /v1/chat/completions": callers,
  "POST /v1/completions": callers,
  "POST /v1/responses": callers,
  "POST /v1/responses/compact": callers,
  "POST /v1/responses/input_tokens": callers,
  "GET /v1/responses/:id": own,
  "DELETE /v1/responses/:id": own,
  "POST /v1/responses/:id/cancel": own,
  "GET /v1/responses/:id/input_items": own,
  "POST /v1/conversations": callers,
  "GET /v1/conversations/:id": own,
  "POST /v1/conversations/:id": callers,
  "DELETE /v1/conversations/:id": own,
  "GET /v1/conversations/:id/items": own,
  "POST /v1/conversations/:id/items": callers,
  "GET /v1/conversations/:id/items/:item_id": own,
  "DELETE /v1/conversations/:id/items/:item_id": own,
  "POST /v1/embeddings": callers,
  "POST /v1/moderations": callers,
  "POST /v1/images/generations": callers,
  "POST /v1/images/edits": callers,
  "POST /v1/audio/speech": callers,
  "POST /v1/audio/transcriptions": own,
  "POST /v1/audio/translations": own,
  "POST /chat": { ...callers, body: "any" },
  "GET /v1/models": own,
  "GET /v1/models/:model{.+}": own,
  "POST /v1/files": own,
  "GET /v1/files": own,
  "GET /v1/files/:id": own,
  "DELETE /v1/files/:id": own,
  "GET /v1/files/:id/content": own,
  "POST /v1/batches": callers,
  "GET /v1/batches": own,
  "GET /v1/batches/:id": own,
  "POST /v1/batches/:id/cancel": own,
  "GET /usage": own,
  "GET /data/week": own,
  "POST /admin/session": { ...open, body: "json" },
  "DELETE /admin/session": open,
  "POST /admin/setup": { ...open, body: "json" },
  "POST /admin/tokens": { ...operators, body: "json" },
  "GET /admin/tokens": operators,
  "GET /admin/tokens/:id": operators,
  "PATCH /admin/tokens/:id": { ...operators, body: "json" },
  "POST /admin/tokens/:id/rotate": { ...operators, body: "optional" },
  "POST /admin/tokens/:id/disable": operators,
  "POST /admin/tokens/:id/enable": operators,
  "DELETE /admin/tokens/:id": operators,
  "POST /admin/groups": { ...operators, body: "json" },
  "GET /admin/groups": operators,
  "GET /admin/groups/:name{.+}": operators,
  "PATCH /admin/groups/:name{.+}": { ...operators, body: "json" },
  "DELETE /admin/groups/:name{.+}": operators,
  "GET /admin/prices": operators,
  "POST /admin/prices": { ...operators, body: "json" },
  "PUT /admin/prices/:model{.+}": { ...operators, body: "json" },
  "POST /admin/prices/import": { ...operators, body: "list" },
  "POST /admin/upstreams": { ...operators, body: "json" },
  "GET /admin/upstreams": operators,
  "GET /admin/upstreams/:name": operators,
  "PATCH /admin/upstreams/:name": { ...operators, body: "json" },
  "DELETE /admin/upstreams/:name": operators,
  "POST /admin/upstreams/:name/test": { ...operators, body: "optional" },
  "GET /admin/routes": operators,
  "GET /admin/routes/:model{.+}": operators,
  "PUT /admin/routes/:model{.+}": { ...operators, body: "json" },
  "DELETE /admin/routes/:model{.+}": operators,
  "GET /admin/usage": operators,
  "GET /admin/calls": operators,
  "GET /admin/changes": operators,
  "GET /admin/warnings": operators,
  "GET /admin/limits/decisions": operators,
  "GET /admin/usage/series": operators,
  "GET /admin/usage/export": operators,
  "GET /admin/doctor/request": operators,
  "POST /admin/doctor/body": { ...operators, body: "json" },
  "GET /admin/doctor/stream": operators,
  "GET /admin/doctor/streams/:id": operators,
  "GET /admin/doctor/checks": operators,
  "GET /admin/doctor/instance": operators,
  "POST /ask/:conversation_id": asks,
  "GET /ask/:conversation_id": reads,
  "DELETE /ask/:conversation_id": reads,
  "POST /chat_complete": asks,
  "POST /api": asks,
  "POST /api/": asks,
  "GET /system": own,
  "POST /system": callers,
  "POST /mod": callers,
  "GET /chats": own,
  "GET /conversations": own,
  "DELETE /conversations": own,
  "POST /:chat/chat": callers,
  "POST /:chat/img": callers,
  "GET /:chat/chat": own,
  "POST /:chat/clear": own,
  "DELETE /:chat": own,
  "GET /:chat/system": own,
  "POST /:chat/system": callers,
};

/** A page that anybody may read, uncounted, at a fixed path. It needs no row. */
const isPlainPage = ({ method, path, counted, doc }: Route) =>
  method === "GET" &&
  !counted &&
  doc?.credential === "none" &&
  doc.status === undefined &&
  !path.includes(":");

interface SetMember {
  readonly name: string;
  readonly route: Route;
  readonly dialect: Dialect;
  readonly expected: Expected;
  readonly path: string;
}

async function start(env: Readonly<Record<string, string>> = {}) {
  const scene = await startScene({ ...SETTINGS, ...env });
  const { origin, parley } = scene.parley;
  const routes = parley.dialects.flatMap((dialect) =>
    dialect.routes.map((route) => ({ route, dialect })),
  );
  const send = (
    { path, route }: Pick<SetMember, "path" | "route">,
    body?: unknown,
    options: SendOptions = {},
  ) => postJson(origin + path, body, { method: route.method, ...options });
  return { ...scene, origin, routes, send };
}

type Started = Awaited<ReturnType<typeof start>>;

/** Those that do more than refuse, with what stands in the table about them. */
function listed({ routes }: Started): SetMember[] {
  return routes.flatMap(({ route, dialect }) => {
    if (route.refuses === true) return [];
    const name = `${route.method} ${route.path}`;
    const expected = isPlainPage(route) ? open : table[name];
    if (expected === undefined) throw new Error(`${name} has no row`);
    const path = route.path
      .replaceAll(/:(?:asset|file)(\{[^}]*\})?/g, "start.js")
      .replaceAll(":conversation_id", "new")
      .replaceAll(/:\w+(\{[^}]*\})?/g, "some");
    return [{ name, route, dialect, expected, path }];
  });
}

/** What Allow names there; undefined where other methods find no path. */
function methodsAt({ routes }: Started, path: string): string[] | undefined {
  const here = routes.map(({ route }) => route).filter((route) => route.path === path);
  if (here.some(({ onlyMethod }) => onlyMethod)) return undefined;
  return here
    .filter(({ refuses }) => refuses !== true)
    .map(({ method }) => method)
    .sort();
}

const withBody = (all: readonly SetMember[]) =>
  all.filter(({ expected }) => expected.body !== null);
const key = { authorization: "Bearer sk-caller-9876543210" };
const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
const credentialFor = ({ name }: SetMember) =>
  name.includes("/admin/") || name === "POST /system" ? admin : key;
/** The failure in each dialect's own form, as its document describes it. */
const isFailure = ({ dialect }: SetMember, { json }: Reply) =>
  dialect.errors === undefined
    ? Reflect.has(Object(json), "code")
    : dialect.errors.schema.safeParse(json).success;

const chinese = { "accept-language": "zh-CN" };

/** The status, the dialect's own form, and the caller's language. */
function expectRefusal(one: SetMember, reply: Reply, status: number): void {
  expect(`${one.name} ${reply.status}`, reply.text).toBe(`${one.name} ${status}`);
  expect(isFailure(one, reply), `${one.name} ${reply.text}`).toBe(true);
  expect(reply.text, one.name).toMatch(/[一-鿿]/);
  expect(reply.headers["content-language"], one.name).toBe("zh-CN");
}

describe("the table of routes", () => {
  test("has a row for each but plain pages, and each row its route", async () => {
    const others = listed(await start()).filter(({ route }) => !isPlainPage(route));
    expect(others.map(({ name }) => name).sort()).toEqual(Object.keys(table).sort());
  });

  test("says which of them the limits count", async () => {
    for (const { route, expected, name } of listed(await start())) {
      expect(`${name} ${route.counted}`).toBe(`${name} ${expected.counted}`);
    }
  });
});

test("ROUTE can't take the first path segment of any other dialect's route", async () => {
  const { routes } = await start();
  const others = routes.filter(({ dialect }) => dialect.name !== "envelope");
  const segments = new Set(others.map(({ route }) => route.path.split("/")[1] ?? ""));
  const fixed = [...segments].filter((segment) => segment !== "" && !segment.startsWith(":"));
  expect(fixed).toContain("healthz");
  for (const segment of fixed) {
    const result = readConfig({ ROUTE: segment }, () => "");
    expect(result, segment).toEqual({ problems: [{ name: "ROUTE", key: "route_reserved" }] });
  }
});

/** The envelope's example has one where no key is shared. */
function withoutKey(example: unknown): unknown {
  if (Array.isArray(example)) return example;
  const { api_key: _key, ...rest } = Object(example);
  return rest;
}

describe("every route", () => {
  test("answers with an id, the limits, and headers that browsers may read", async () => {
    const started = await start({ MINUTE_LIMIT: "1000" });
    for (const one of listed(started)) {
      const { headers } = await started.send(one);
      expect(headers["x-request-id"], one.name).toMatch(/^req-/);
      expect(headers.ratelimit, one.name).toContain('"minute"');
      expect(headers["ratelimit-policy"], one.name).toContain("q=1000");
      // no page may guess or use ADMIN_TOKEN
      const cors = one.dialect.crossOrigin === false ? undefined : "*";
      expect(headers["access-control-allow-origin"], one.name).toBe(cors);
      const exposed = headers["access-control-expose-headers"];
      if (cors === undefined) expect(exposed, one.name).toBeUndefined();
      else expect(exposed, one.name).toContain("ratelimit");
      expect(headers["x-content-type-options"], one.name).toBe("nosniff");
    }
  });

  test("is refused once the limit is used up, if it is counted, in its dialect's form", async () => {
    const started = await start({ MINUTE_LIMIT: "1" });
    await started.send({ path: "/usage", route: { method: "GET" } as Route });
    for (const one of listed(started)) {
      const headers = { ...chinese, ...credentialFor(one) };
      const reply = await started.send(one, undefined, { headers });
      expect(`${one.name} ${reply.status === 429}`).toBe(`${one.name} ${one.expected.counted}`);
      if (reply.status !== 429) continue;
      expectRefusal(one, reply, 429);
      expect(Number(reply.headers["retry-after"]), one.name).toBeGreaterThan(0);
    }
  });

  test("that requires a credential says so without one", async () => {
    const started = await start();
    for (const one of listed(started)) {
      const { refuses } = one.expected;
      if (refuses === null && one.expected.body !== null) continue; // it would ask the upstream
      const reply = await started.send(one, one.route.doc?.example, { headers: chinese });
      if (refuses === null) expect([401, 403], one.name).not.toContain(reply.status);
      else expectRefusal(one, reply, refuses);
    }
    expect(started.upstream.requests).toEqual([]);
  });

  test("that is a plain page is shown to anybody", async () => {
    const started = await start();
    for (const one of listed(started).filter(({ route }) => isPlainPage(route))) {
      expect(`${one.name} ${(await started.send(one)).status}`).toBe(`${one.name} 200`);
    }
  });

  test("without a credential asks nobody, whatever it is sent", async () => {
    const started = await start({ API_KEY: "" });
    for (const one of withBody(listed(started))) {
      const reply = await started.send(one, withoutKey(one.route.doc?.example));
      expect([400, 401, 403], `${one.name} ${reply.text}`).toContain(reply.status);
    }
    expect(started.upstream.requests).toEqual([]);
  });

  test("answers methods it does not have with 405 and Allow, or is not there for them", async () => {
    const started = await start();
    for (const one of listed(started)) {
      const reply = await started.send(one, undefined, { method: "PROPFIND", headers: chinese });
      const allowed = methodsAt(started, one.route.path);
      if (allowed === undefined) expect(`${one.name} ${reply.status}`).toBe(`${one.name} 404`);
      else expectRefusal(one, reply, 405);
      expect(reply.headers.allow?.split(", ").sort(), one.name).toEqual(allowed);
    }
  });

  test("that takes calls is closed while the server drains", async () => {
    const started = await start();
    void started.parley.parley.openCalls.drain();
    for (const one of listed(started)) {
      if (!one.expected.counted) continue;
      const headers = { ...chinese, ...credentialFor(one) };
      const reply = await started.send(one, one.route.doc?.example, { headers });
      expectRefusal(one, reply, 503);
    }
  });
});

describe("every route with a body", () => {
  const deep = `${"[".repeat(70)}${"]".repeat(70)}`;
  const latin = Buffer.from('{"content":"\xe9"}', "latin1");
  const json = { "content-type": "application/json" };
  const rows: [string, unknown, Record<string, string>, number][] = [
    ["too large", { content: "x".repeat(3_000) }, json, 413],
    ["of another type", "{}", { "content-type": "text/plain" }, 415],
    ["compressed", "{}", { ...json, "content-encoding": "gzip" }, 415],
    ["in Latin-1", latin, json, 400],
    ["too deep", deep, json, 400],
    ["not JSON", "{", json, 400],
    ["not an object", "[]", json, 400],
    ["empty", "", json, 400],
  ];

  // a list of prices has a bound of its own
  const isTaken = ({ body: kind }: Expected, body: unknown, type: Record<string, string>) =>
    (kind === "list" && Object(body).content !== undefined) ||
    (kind === "any" && type["content-type"] === "text/plain") ||
    (kind === "list" && body === "[]") ||
    (kind === "optional" && body === "");

  test.each(rows)(
    "refuses one that is %s, in its dialect's form",
    async (_what, body, type, status) => {
      const started = await start();
      for (const one of withBody(listed(started))) {
        if (isTaken(one.expected, body, type)) continue;
        const headers = { ...type, ...chinese, ...credentialFor(one) };
        const reply = await started.send(one, body, { headers });
        expectRefusal(one, reply, status);
      }
      expect(started.upstream.requests).toEqual([]);
    },
  );
});

test("a question over gRPC takes one call of the same budget", async () => {
  const { client, parley } = await startGrpc({ MINUTE_LIMIT: "2" });
  const count = () =>
    postJson(`${parley.origin}/usage`, undefined, { method: "GET", headers: key });
  await client.ask({ prompt: "hi" });
  expect((await count()).status).not.toBe(429);
  expect((await count()).status).toBe(429);
  expect((await client.askInVain({ prompt: "hi" })).code).toBe(8);
});
