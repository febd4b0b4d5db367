import { describe, expect, test } from "vitest";
import { refuse, usageMissing } from "../../support/faults.ts";
import { createHeldClock } from "../../support/parley.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { answer } from "../../support/upstream.ts";
import { createCaller, failureOf, keyed, linesOf, startChats } from "./support.ts";

const IMAGE = "https://example.org/cat.png";
const HOUR_MS = 3_600_000;

describe.concurrent("a question in a chat", () => {
  test("is answered in the form of older servers, with more beside it", async () => {
    const { ann, upstream } = await startChats();
    expect(await ann.ask("work", "one")).toEqual({
      content: "echo: one",
      role: "assistant",
      tokens: { completion_tokens: 9, prompt_tokens: 3, total_tokens: 12 },
      model: "gpt-4o-mini",
      finish_reason: "stop",
      omitted: 0,
    });
    expect(upstream.requests.at(-1)?.json).toEqual({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "one" }],
      max_tokens: 3_500,
    });
  });

  test("knows the ones before it", async () => {
    const { ann, asked } = await startChats();
    await ann.ask("work", "one");
    await ann.ask("home", "elsewhere");
    await ann.ask("work", "two");
    const turns = [
      { role: "user", content: "one" },
      { role: "assistant", content: "echo: one" },
      { role: "user", content: "two" },
    ];
    expect(asked().messages).toEqual(turns);
    expect(await ann.history("work")).toEqual([
      ...turns,
      { role: "assistant", content: "echo: two" },
    ]);
  });

  test("may choose the model and the length of the answer within what is allowed", async () => {
    const { ann, upstream } = await startChats({
      ALLOWED_MODELS: "gpt-4o, gpt-4o-mini",
      MAX_TOKENS_LIMIT: "200",
    });
    expect((await ann.ask("work", "one", { model: "gpt-4o", max_tokens: 20 })).model).toBe(
      "gpt-4o",
    );
    expect(upstream.requests.at(-1)?.json).toMatchObject({
      model: "gpt-4o",
      max_tokens: 20,
    });
    await ann.ask("work", "two");
    expect(upstream.requests.at(-1)?.json).toMatchObject({ max_tokens: 200 });
    const path = "/work/chat";
    const other = { content: "three", model: "o1" };
    expect(failureOf(await ann.send("POST", path, other))).toMatchObject({
      code: "field_choice",
      field: "model",
    });
    const long = { content: "three", max_tokens: 201 };
    expect(failureOf(await ann.send("POST", path, long))).toMatchObject({
      code: "field_range",
      field: "max_tokens",
    });
    expect(upstream.requests).toHaveLength(2);
  });

  test("says null where the upstream counts nothing", async () => {
    const { ann } = await startChats({}, { behaviour: usageMissing });
    expect((await ann.ask("work", "one")).tokens).toEqual({
      completion_tokens: null,
      prompt_tokens: null,
      total_tokens: null,
    });
  });

  test("keeps content in parts as it is", async () => {
    const { ann, asked } = await startChats();
    const parts = [
      { type: "text", text: "what is this?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
      { type: "image_url", image_url: { url: IMAGE, detail: "high" } },
    ];
    await ann.ask("work", parts);
    expect(asked().messages).toEqual([{ role: "user", content: parts }]);
    expect((await ann.history("work"))[0]).toEqual({ role: "user", content: parts });
  });

  test("takes any name that fits into one segment of a path", async () => {
    const { ann } = await startChats();
    const names = ["chat", "data", "system", "mod", "chats", "天空", "a b", "x'\"--", "a/b", "%"];
    names.push("?", "#", "\\", "+", "@", ";", "a\nb", "\r\n", "👋🏽", "__proto__", "x".repeat(200));
    for (const name of names) {
      const path = encodeURIComponent(name);
      await ann.ask(path, name);
      expect(await ann.history(path)).toHaveLength(2);
    }
    const listed = (await ann.get("/chats")) as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(names);
  });

  test("takes no name that is too long or cannot be kept", async () => {
    const { ann, upstream } = await startChats();
    const body = { content: "one" };
    const long = "x".repeat(201);
    expect(await ann.refused("POST", `/${long}/chat`, body)).toBe("400 field_too_long");
    expect(await ann.refused("GET", `/${long}/chat`)).toBe("404 conversation_not_found");
    expect(await ann.refused("POST", "/a%00b/chat", body)).toBe("400 bad_request");
    expect(upstream.requests).toHaveLength(0);
  });

  test("brings its credential in the body as well", async () => {
    const { nobody, origin, upstream } = await startChats();
    await nobody.ask("work", "one", { api_key: OWN_KEY });
    expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    expect(upstream.requests.at(-1)?.bodyText).not.toContain(OWN_KEY);
    const same = createCaller(origin, { "api-key": OWN_KEY });
    expect(await same.history("work")).toHaveLength(2);
  });
});

describe.concurrent("a question about an image", () => {
  test("goes upstream in parts and stays in the chat", async () => {
    const { ann, asked } = await startChats();
    const answer = await ann.post("/work/img", { content: "what is this?", url: IMAGE });
    expect(answer).toMatchObject({ content: "echo: what is this?", role: "assistant" });
    const message = {
      role: "user",
      content: [
        { type: "text", text: "what is this?" },
        { type: "image_url", image_url: { url: IMAGE, detail: "low" } },
      ],
    };
    expect(asked().messages).toEqual([message]);
    await ann.ask("work", "and now?");
    expect(asked().messages[0]).toEqual(message);
    expect((await ann.history("work"))[0]).toEqual(message);
  });

  test.each([
    ["http://example.org/cat.png"],
    ["file:///etc/passwd"],
    ["ftp://example.org/cat.png"],
    ["data:text/html,x"],
    ["https://"],
    ["cat.png"],
    [""],
    [7],
  ])("names the url where it is %s", async (url) => {
    const { ann, upstream } = await startChats();
    const reply = await ann.send("POST", "/work/img", { content: "what?", url });
    expect(reply.status).toBe(400);
    expect(failureOf(reply)).toMatchObject({ code: "field_type", field: "url" });
    if (typeof url === "string") expect(failureOf(reply).error).toContain("https: or data:image");
    expect(upstream.requests).toHaveLength(0);
  });
});

describe.concurrent("what is wrong with a body", () => {
  test.each([
    ["/w/chat", {}, "field_missing", "content"],
    ["/w/chat", { content: null }, "field_missing", "content"],
    ["/w/chat", { content: "" }, "field_empty", "content"],
    ["/w/chat", { content: [] }, "field_empty", "content"],
    ["/w/chat", { content: 7 }, "field_type", "content"],
    ["/w/chat", { content: { a: 1 } }, "field_type", "content"],
    ["/w/chat", { content: ["a"] }, "field_type", "content[0]"],
    ["/w/chat", { content: [{ type: "text" }] }, "field_missing", "content[0].text"],
    ["/w/chat", { content: [{ text: "a" }] }, "field_missing", "content[0].type"],
    ["/w/chat", { content: [{ type: "file" }] }, "field_choice", "content[0].type"],
    [
      "/w/chat",
      { content: [{ type: "image_url", image_url: { url: "http://a" } }] },
      "field_type",
      "content[0].image_url.url",
    ],
    ["/w/chat", { content: "a", stream: "yes" }, "field_type", "stream"],
    ["/w/chat", { content: "a", max_tokens: 0 }, "field_range", "max_tokens"],
    ["/w/img", { content: "a" }, "field_missing", "url"],
    ["/w/img", { url: IMAGE }, "field_missing", "content"],
    ["/w/img", { content: [{ type: "text", text: "a" }], url: IMAGE }, "field_type", "content"],
    ["/w/system", {}, "field_missing", "content"],
    ["/w/system", { content: 7 }, "field_type", "content"],
    ["/mod", {}, "field_missing", "content"],
  ])("%s with %j is told by its field", async (path, body, code, field) => {
    const { ann, upstream } = await startChats();
    const reply = await ann.send("POST", path, body);
    expect(reply.status).toBe(400);
    expect(failureOf(reply)).toMatchObject({ code, field });
    expect(failureOf(reply).error).toContain(field);
    expect(upstream.requests).toHaveLength(0);
    expect(await ann.get("/chats")).toEqual([]);
  });

  test("the global prompt's is told by its field too", async () => {
    const { admin } = await startChats();
    const reply = await admin.send("POST", "/system", {});
    expect(failureOf(reply)).toMatchObject({ code: "field_missing", field: "content" });
  });

  test.each([
    ["{", 400, "body_not_json"],
    ["[]", 400, "body_not_object"],
    [Buffer.from('{"content":"\xff"}', "latin1"), 400, "body_not_utf8"],
    [`{"a":${"[".repeat(70)}${"]".repeat(70)}}`, 400, "body_too_deep"],
    ["x".repeat(2_000), 413, "body_too_large"],
  ])("before its schema it passes the same gates as everywhere", async (body, status, code) => {
    const { ann } = await startChats({ MAX_BODY_BYTES: "1024" });
    for (const path of ["/w/chat", "/w/img", "/w/system", "/mod"]) {
      expect(await ann.refused("POST", path, body)).toBe(`${status} ${code}`);
    }
  });

  test("a body of another type is a 415", async () => {
    const { origin } = await startChats();
    const caller = createCaller(origin, {
      authorization: `Bearer ${OWN_KEY}`,
      "content-type": "text/plain",
    });
    expect(await caller.refused("POST", "/w/chat", "{}")).toBe("415 content_type_unsupported");
  });
});

describe.concurrent("a chat that is over", () => {
  test.each([
    ["POST", "/work/clear"],
    ["DELETE", "/work"],
  ])("%s %s takes its messages and its prompt away", async (method, path) => {
    const { ann, admin } = await startChats();
    await admin.post("/system", { content: "be brief" });
    await ann.post("/work/system", { content: "be long" });
    await ann.ask("work", "one");
    expect((await ann.send(method, path)).json).toEqual({});
    expect(await ann.refused("GET", "/work/chat")).toBe("404 conversation_not_found");
    expect(await ann.refused("GET", "/work/system")).toBe("404 conversation_not_found");
    await ann.ask("work", "two");
    expect(await ann.history("work")).toEqual([
      { role: "system", content: "be brief" },
      { role: "user", content: "two" },
      { role: "assistant", content: "echo: two" },
    ]);
  });

  test("may be cleared again, but is deleted only once", async () => {
    const { ann } = await startChats();
    for (let times = 0; times < 2; times += 1) expect(await ann.post("/work/clear")).toEqual({});
    expect(await ann.refused("DELETE", "/work")).toBe("404 conversation_not_found");
  });

  test("ends by itself EXPIRE_HOURS after its last use", async () => {
    const clock = createHeldClock();
    const { ann, asked } = await startChats({ EXPIRE_HOURS: "2" }, { clock });
    await ann.ask("work", "one");
    for (let times = 0; times < 3; times += 1) {
      clock.forward(1.5 * HOUR_MS);
      await ann.ask("work", `again ${times}`);
    }
    expect(asked().messages).toHaveLength(7);
    clock.forward(2 * HOUR_MS + 1);
    expect(await ann.refused("GET", "/work/chat")).toBe("404 conversation_not_found");
    expect(await ann.refused("DELETE", "/work")).toBe("404 conversation_not_found");
    expect(await ann.get("/chats")).toEqual([]);
    expect(linesOf(await ann.send("GET", "/conversations"))).toEqual([]);
    await ann.ask("work", "anew");
    expect(asked().messages).toHaveLength(1);
  });
});

describe.concurrent("MESSAGES_LENGTH", () => {
  test.each([
    ["4", 4],
    ["5", 4],
    ["0", 0],
  ])(
    "of %s sends the %i newest messages in whole turns, and says how many not",
    async (length, sent) => {
      const { ann, asked } = await startChats({ MESSAGES_LENGTH: length });
      await ann.post("/work/system", { content: "be brief" });
      for (let at = 0; at < 4; at += 1) await ann.ask("work", `q${at}`);
      expect((await ann.ask("work", "last")).omitted).toBe(8 - sent);
      const newest = ["q2", "echo: q2", "q3", "echo: q3"].slice(4 - sent);
      expect(asked().messages.map(({ content }) => content)).toEqual([
        "be brief",
        ...newest,
        "last",
      ]);
      expect(await ann.history("work")).toHaveLength(11);
    },
  );

  test("is 20 where nobody says otherwise", async () => {
    const { ann, asked } = await startChats();
    for (let at = 0; at < 12; at += 1) await ann.ask("work", `q${at}`);
    expect((await ann.ask("work", "last")).omitted).toBe(4);
    expect(asked().messages).toHaveLength(21);
  });
});

describe.concurrent("a question that comes to nothing", () => {
  test.each([
    [500, "502 upstream_failed"],
    [400, "400 upstream_refused"],
    [429, "429 upstream_rate_limited"],
  ])(
    "because of a %i upstream leaves no turn, and the next is answered at once",
    async (status, code) => {
      const { ann, upstream } = await startChats({}, { behaviour: refuse(status) });
      expect(await ann.refused("POST", "/work/chat", { content: "one" })).toBe(code);
      expect(await ann.history("work")).toEqual([]);
      upstream.behave(answer);
      await ann.ask("work", "two");
      expect(await ann.history("work")).toHaveLength(2);
    },
  );

  test("because of a key that OpenAI does not know is a 401", async () => {
    const { origin } = await startChats();
    const bad = keyed(origin, "bad");
    expect(await bad.refused("POST", "/work/chat", { content: "one" })).toBe("401 key_rejected");
  });
});
