import { describe, expect, test } from "vitest";
import { OWN_KEY } from "../../support/scene.ts";
import { ADMIN_TOKEN, bearer, createCaller, failureOf, keyed, startChats } from "./support.ts";

describe.concurrent("the global prompt", () => {
  test("is null until the operator sets it, and null again when they remove it", async () => {
    const { ann, admin } = await startChats();
    expect(await ann.get("/system")).toEqual({ content: null });
    expect(await admin.post("/system", { content: "be brief" })).toEqual({});
    expect(await ann.get("/system")).toEqual({ content: "be brief" });
    expect(await admin.post("/system", { content: "" })).toEqual({});
    expect(await ann.get("/system")).toEqual({ content: "be brief" });
    expect(await admin.post("/system", { content: null })).toEqual({});
    expect(await ann.get("/system")).toEqual({ content: null });
  });

  test("is copied when a chat is made and changes no chat afterwards", async () => {
    const { ann, admin, asked } = await startChats();
    await admin.post("/system", { content: "be brief" });
    await ann.ask("old", "one");
    expect(asked().messages[0]).toEqual({ role: "system", content: "be brief" });
    await admin.post("/system", { content: "be long" });
    await ann.ask("old", "two");
    expect(asked().messages[0]).toEqual({ role: "system", content: "be brief" });
    expect(await ann.get("/old/system")).toEqual({ role: "system", content: "be brief" });
    await ann.ask("new", "one");
    expect(await ann.get("/new/system")).toEqual({ role: "system", content: "be long" });
    await admin.post("/system", { content: null });
    await ann.ask("newest", "one");
    expect(asked().messages).toEqual([{ role: "user", content: "one" }]);
    expect(await ann.get("/newest/system")).toEqual({ role: "system", content: null });
  });

  test("is not to be seen without a credential", async () => {
    const { nobody } = await startChats();
    expect(await nobody.refused("GET", "/system")).toBe("401 credential_missing");
  });

  test.each([
    ["no credential", {}, "401 admin_token_needed"],
    ["a blank one", { authorization: " " }, "401 admin_token_needed"],
    ["a key", bearer(OWN_KEY), "403 admin_needed"],
    ["a key in another header", { "api-key": OWN_KEY }, "403 admin_needed"],
    ["a token that is none", bearer("parley-no-such-token"), "403 admin_needed"],
    ["a beginning of the admin token", bearer(ADMIN_TOKEN.slice(0, -1)), "403 admin_needed"],
    ["more than the admin token", bearer(`${ADMIN_TOKEN}0`), "403 admin_needed"],
    ["another scheme", { authorization: `Basic ${ADMIN_TOKEN}` }, "403 admin_needed"],
  ])("is not to be set with %s", async (_name, headers, refusal) => {
    const { origin, ann } = await startChats();
    const caller = createCaller(origin, headers);
    expect(await caller.refused("POST", "/system", { content: "mine" })).toBe(refusal);
    expect(await ann.get("/system")).toEqual({ content: null });
  });

  test("is nobody's to set where there is no admin token", async () => {
    const { ann, nobody, admin } = await startChats({ ADMIN_TOKEN: "" });
    for (const caller of [ann, admin]) {
      expect(await caller.refused("POST", "/system", { content: "x" })).toBe("403 admin_needed");
    }
    expect(await nobody.refused("POST", "/system", { content: "x" })).toBe(
      "401 admin_token_needed",
    );
  });

  test("is everybody's to set where chats are open", async () => {
    const { nobody, ann } = await startChats({ CHATS_ACCESS: "open" });
    expect(await nobody.post("/system", { content: "for all" })).toEqual({});
    expect(await nobody.get("/system")).toEqual({ content: "for all" });
    await ann.post("/system", { content: "by Ann" });
    expect(await nobody.get("/system")).toEqual({ content: "by Ann" });
  });

  test("is refused where it is larger than a message may be", async () => {
    const { admin } = await startChats({ MAX_BODY_BYTES: "9000000" });
    const reply = await admin.send("POST", "/system", { content: "x".repeat(4_194_305) });
    expect(reply.status).toBe(413);
    expect(failureOf(reply).code).toBe("message_too_large");
  });
});

describe.concurrent("a chat's own prompt", () => {
  test("makes the chat", async () => {
    const { ann, asked } = await startChats();
    expect(await ann.refused("GET", "/work/system")).toBe("404 conversation_not_found");
    expect(await ann.post("/work/system", { content: "be brief" })).toEqual({});
    expect(await ann.get("/work/system")).toEqual({ role: "system", content: "be brief" });
    expect(await ann.history("work")).toEqual([{ role: "system", content: "be brief" }]);
    await ann.ask("work", "one");
    expect(asked().messages[0]).toEqual({ role: "system", content: "be brief" });
  });

  test("changes for the chat that is there and keeps its messages", async () => {
    const { ann, asked } = await startChats();
    await ann.ask("work", "one");
    await ann.post("/work/system", { content: "be brief" });
    await ann.ask("work", "two");
    expect(asked().messages).toHaveLength(4);
    expect(asked().messages[0]).toEqual({ role: "system", content: "be brief" });
  });

  test("is the global one again when it is emptied, and none when it is null", async () => {
    const { ann, admin } = await startChats();
    await ann.post("/work/system", { content: "be brief" });
    await admin.post("/system", { content: "be kind" });
    await ann.post("/work/system", { content: "" });
    expect(await ann.get("/work/system")).toEqual({ role: "system", content: "be kind" });
    await ann.post("/work/system", { content: null });
    expect(await ann.get("/work/system")).toEqual({ role: "system", content: null });
    expect(await ann.history("work")).toEqual([]);
    await ann.post("/new/system", { content: "" });
    expect(await ann.get("/new/system")).toEqual({ role: "system", content: "be kind" });
  });

  test("of many callers at once makes one chat", async () => {
    const { ann } = await startChats();
    const prompts = Array.from({ length: 30 }, (_, at) => `prompt ${at}`);
    await Promise.all(prompts.map((content) => ann.post("/work/system", { content })));
    expect(await ann.get("/chats")).toHaveLength(1);
    const { content } = (await ann.get("/work/system")) as { content: string };
    expect(prompts).toContain(content);
  });
});

describe.concurrent("moderation", () => {
  test("passes the upstream's own answer on", async () => {
    const { ann, upstream } = await startChats();
    const reply = await ann.send("POST", "/mod", { content: "is this fine?" });
    expect(reply.status).toBe(200);
    expect(upstream.requests.at(-1)).toMatchObject({
      path: "/v1/moderations",
      json: { model: "omni-moderation-latest", input: "is this fine?" },
    });
    expect(reply.json).toMatchObject({ results: [{ flagged: false }] });
  });

  test("asks the model that the operator or the caller names", async () => {
    const { ann, upstream } = await startChats({
      MODERATION_MODEL: "strict",
      ALLOWED_MODELS: "gpt-4o-mini",
    });
    await ann.post("/mod", { content: "one" });
    await ann.post("/mod", { content: "two", model: "strict" });
    expect(upstream.requests.map(({ json }) => json)).toMatchObject([
      { model: "strict" },
      { model: "strict" },
    ]);
    expect(await ann.refused("POST", "/mod", { content: "one", model: "lax" })).toBe(
      "400 field_choice",
    );
  });

  test("is for callers with a credential, unless chats are open", async () => {
    const own = await startChats();
    const body = { content: "one" };
    expect(await own.nobody.refused("POST", "/mod", body)).toBe("401 credential_missing");
    expect(await keyed(own.origin, "bad").refused("POST", "/mod", body)).toBe("401 key_rejected");
    expect(own.upstream.requests).toHaveLength(1);
    const open = await startChats({ CHATS_ACCESS: "open" });
    await open.nobody.post("/mod", body);
  });
});
