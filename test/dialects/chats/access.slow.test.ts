import { describe, expect, test } from "vitest";
import { OWN_KEY } from "../../support/scene.ts";
import {
  ADMIN_TOKEN,
  bearer,
  type Caller,
  createCaller,
  failureOf,
  keyed,
  linesOf,
  SECRET_KEY,
  startChats,
} from "./support.ts";

/** Three callers who are nobody to each other: two keys and a token. */
async function startThree() {
  const scene = await startChats({ SECRET_KEY });
  const { origin, admin, ann } = scene;
  await admin.send("PUT", "/admin/prices/gpt-4o-mini", { input: "0.15", output: "0.6" });
  const issued = await admin.send("POST", "/admin/tokens", { name: "Cid" });
  const { token } = issued.json as { token: string };
  const bob = keyed(origin, "bob");
  const cid = createCaller(origin, bearer(token));
  return { ...scene, callers: [ann, bob, cid] as const };
}

/** Every route on one chat that must not make it. */
const objectRoutes = [
  ["GET", "/private/chat"],
  ["GET", "/private/system"],
  ["DELETE", "/private"],
] as const;

describe.concurrent("of three owners", () => {
  test("none sees, changes or deletes a chat of another", async () => {
    const { callers } = await startThree();
    for (const [at, owner] of callers.entries()) {
      await owner.post("/private/system", { content: `secret ${at}` });
      await owner.ask("private", `question ${at}`);
    }
    for (const [at, owner] of callers.entries()) {
      expect(await owner.history("private")).toEqual([
        { role: "system", content: `secret ${at}` },
        { role: "user", content: `question ${at}` },
        { role: "assistant", content: `echo: question ${at}` },
      ]);
      expect(await owner.get("/chats")).toMatchObject([{ name: "private", messages: 2 }]);
      expect(linesOf(await owner.send("GET", "/conversations"))).toHaveLength(3);
    }
    const [ann, bob, cid] = callers;
    await ann.post("/private/clear");
    for (const [method, path] of objectRoutes) {
      expect(await ann.refused(method, path)).toBe("404 conversation_not_found");
    }
    expect(await bob.get("/private/system")).toMatchObject({ content: "secret 1" });
    expect(await bob.delete("/conversations")).toEqual({ deleted: 1 });
    expect(await cid.history("private")).toHaveLength(3);
  });

  test("two find nothing where the third has a chat, and leave it as it is", async () => {
    const { callers } = await startThree();
    for (const owner of callers) {
      await owner.ask("private", "mine");
      for (const other of callers.filter((one) => one !== owner)) {
        for (const [method, path] of objectRoutes) {
          expect(await other.refused(method, path)).toBe("404 conversation_not_found");
        }
        expect(await other.refused("GET", "/chats?after=private")).toBe(
          "404 conversation_not_found",
        );
        await other.post("/private/clear");
        await other.post("/private/system", { content: "theirs" });
        await other.delete("/private");
        expect(await other.delete("/conversations")).toEqual({ deleted: 0 });
        expect(linesOf(await other.send("GET", "/conversations"))).toEqual([]);
        expect(await other.get("/chats")).toEqual([]);
      }
      expect(await owner.history("private")).toHaveLength(2);
      expect(await owner.delete("/private")).toEqual({});
    }
  });

  test("a token's model list, price gate and revocation hold in chats", async () => {
    const { callers, admin } = await startThree();
    const [, , cid] = callers;
    const unpriced = { content: "one", model: "gpt-4o" };
    expect(await cid.refused("POST", "/work/chat", unpriced)).toBe("400 model_not_priced");
    expect(await cid.refused("POST", "/mod", { content: "one" })).toBe("400 model_not_priced");
    await cid.ask("work", "one");
    const [token] = ((await admin.get("/admin/tokens")) as { tokens: { id: string }[] }).tokens;
    await admin.delete(`/admin/tokens/${token?.id}`);
    expect(await cid.refused("GET", "/work/chat")).toBe("401 token_rejected");
  });
});

const everyRoute: [string, string, unknown][] = [
  ["GET", "/system", undefined],
  ["POST", "/mod", { content: "one" }],
  ["GET", "/work/system", undefined],
  ["POST", "/work/system", { content: "one" }],
  ["GET", "/work/chat", undefined],
  ["POST", "/work/chat", { content: "one" }],
  ["POST", "/work/img", { content: "one", url: "https://example.org/a.png" }],
  ["POST", "/work/clear", undefined],
  ["DELETE", "/work", undefined],
  ["GET", "/chats", undefined],
  ["GET", "/conversations", undefined],
  ["DELETE", "/conversations", undefined],
];

describe.concurrent("callers without a credential", () => {
  test.each(everyRoute)("are refused at %s %s", async (method, path, body) => {
    const { nobody, ann, upstream } = await startChats();
    await ann.ask("work", "hers");
    expect(await nobody.refused(method, path, body)).toBe("401 credential_missing");
    expect(upstream.requests).toHaveLength(1);
  });

  test.each(everyRoute)(
    "are refused at %s %s with a token that is none",
    async (method, path, body) => {
      const { origin } = await startChats();
      const caller = createCaller(origin, bearer("parley-no-such-token"));
      expect(await caller.refused(method, path, body)).toBe("401 token_rejected");
    },
  );

  test("see no lists of what others keep, also where chats are open", async () => {
    const { nobody } = await startChats({ CHATS_ACCESS: "open" });
    await nobody.ask("work", "one");
    for (const [method, path] of everyRoute.slice(-3)) {
      expect(await nobody.refused(method, path)).toBe("401 credential_missing");
    }
    expect(await nobody.history("work")).toHaveLength(2);
  });
});

describe.concurrent("CHATS_ACCESS=open", () => {
  test("shares chats among all who bring no credential, from wherever they come", async () => {
    const { nobody, origin } = await startChats({ CHATS_ACCESS: "open" });
    await nobody.ask("work", "one");
    const other: Caller = createCaller(origin, { "user-agent": "another" });
    expect(await other.history("work")).toHaveLength(2);
    expect(await other.delete("/work")).toEqual({});
    expect(await nobody.refused("GET", "/work/chat")).toBe("404 conversation_not_found");
  });

  test("leaves those with a credential their own", async () => {
    const { nobody, ann } = await startChats({ CHATS_ACCESS: "open" });
    await nobody.ask("work", "everybody's");
    await ann.ask("work", "mine");
    expect(await ann.history("work")).toHaveLength(2);
    expect((await nobody.history("work"))[0]?.content).toBe("everybody's");
    expect(await ann.get("/chats")).toHaveLength(1);
  });

  test("does not open what the operator's other settings close", async () => {
    const tokens = await startChats({ CHATS_ACCESS: "open", SHARED_KEY: "token" });
    const body = { content: "one" };
    expect(await tokens.nobody.refused("POST", "/work/chat", body)).toBe("401 token_needed");
    expect(await tokens.nobody.refused("POST", "/system", body)).toBe("401 token_needed");
    const allowed = await startChats({ CHATS_ACCESS: "open", ALLOWED_IPS: "192.0.2.0/24" });
    expect(await allowed.nobody.refused("POST", "/work/chat", body)).toBe("403 address_forbidden");
    const keyless = await startChats({ CHATS_ACCESS: "open", API_KEY: "" });
    expect(await keyless.nobody.refused("POST", "/work/chat", body)).toBe("401 key_missing");
  });

  test("gives more room than one caller has", async () => {
    const { nobody, ann, upstream } = await startChats({ CHATS_ACCESS: "open" });
    const make = (caller: Caller, at: number) =>
      caller.send("POST", `/chat-${at}/system`, { content: "x" });
    const all = Array.from({ length: 1_010 }, (_, at) => at);
    for (let from = 0; from < all.length; from += 101) {
      const some = all.slice(from, from + 101);
      const statuses = await Promise.all(some.map(async (at) => (await make(nobody, at)).status));
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
    const hers: number[] = [];
    for (let from = 0; from < all.length; from += 101) {
      const some = all.slice(from, from + 101);
      hers.push(...(await Promise.all(some.map(async (at) => (await make(ann, at)).status))));
    }
    expect(hers.filter((status) => status === 200)).toHaveLength(1_000);
    expect(failureOf(await make(ann, 2_000)).code).toBe("conversations_limited");
    expect(upstream.requests).toHaveLength(0);
  });
});

describe.concurrent("other dialects keep their paths", () => {
  test("beside a chat of whatever name", async () => {
    const { origin, ann, nobody } = await startChats();
    const body = { content: "one" };
    const v1 = await ann.send("POST", "/v1/chat", body);
    expect(v1).toMatchObject({ status: 404, json: { error: { code: "not_found" } } });
    const admin = await ann.send("POST", "/admin/system", body);
    expect(admin).toMatchObject({ status: 404, json: { error: { code: "not_found" } } });
    const asked = await ann.send("POST", "/ask/chat", body);
    expect(asked).toMatchObject({ status: 400, json: { detail: "field_missing" } });
    const unknown = await nobody.send("GET", "/nowhere");
    expect(unknown).toMatchObject({ status: 404, json: { data: { error: "not_found" } } });
    const deeper = await nobody.send("POST", "/a/b/chat", body);
    expect(deeper).toMatchObject({ status: 404, json: { data: { error: "not_found" } } });
    expect((await nobody.send("GET", "/")).text).toBe("Hello, World!");
    expect((await nobody.send("GET", "/healthz")).status).toBe(200);
    expect(origin).toContain("127.0.0.1");
  });

  test("and the envelope its own, even where it looks like a chat's", async () => {
    const { ann, nobody } = await startChats({ ROUTE: "api/chat" });
    const reply = await nobody.send("POST", "/api/chat", { user_content: "one" });
    expect(reply).toMatchObject({
      status: 200,
      json: { code: 200, data: { response: "echo: one" } },
    });
    expect(await ann.post("/api/system", { content: "a chat" })).toEqual({});
  });

  test.each([
    ["PUT", "/work/chat", "POST, GET"],
    ["DELETE", "/work/system", "GET, POST"],
    ["GET", "/work/img", "POST"],
    ["GET", "/work/clear", "POST"],
    ["DELETE", "/system", "GET, POST"],
    ["GET", "/mod", "POST"],
    ["DELETE", "/chats", "GET"],
    ["POST", "/conversations", "GET, DELETE"],
  ])("a wrong method is told which are right: %s %s", async (method, path, allow) => {
    const { ann } = await startChats();
    const reply = await ann.send(method, path);
    expect(reply.status).toBe(405);
    expect(failureOf(reply).code).toBe("method_not_allowed");
    expect(reply.headers.allow).toBe(allow);
  });
});

test("no credential and no content of a chat is ever in the log", async () => {
  const { ann, origin, admin, parley } = await startChats({ LOG_LEVEL: "debug" });
  const keyInBody = createCaller(origin);
  await ann.ask("a-secret-name", "a-secret-question");
  await keyInBody.ask("a-secret-name", "a-secret-question", { api_key: OWN_KEY });
  await admin.post("/system", { content: "a-secret-prompt" });
  await ann.refused("POST", "/a-secret-name/chat", { content: 7 });
  await ann.send("DELETE", "/a-secret-name");
  await parley.logged("chats DELETE /:chat");
  const log = parley.log.join("");
  expect(log).toContain("chats POST /:chat/chat");
  for (const secret of ["a-secret", "sk-ann", OWN_KEY, ADMIN_TOKEN]) {
    expect(log).not.toContain(secret);
  }
});
