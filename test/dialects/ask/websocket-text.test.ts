import { describe, expect, test } from "vitest";
import { resetMidStream, stallMidStream } from "../../support/faults.ts";
import { postJson } from "../../support/http.ts";
import { OWN_KEY, startScene } from "../../support/scene.ts";
import { createAnswer } from "../../support/upstream.ts";
import { connect, placeOf, readText } from "../../support/websocket.ts";

const ASK_NEW = "<|ask|>$new$new$";
const FORM = "<|ask|>$cid|new$pid|new$prompt";

describe.concurrent("text frames", () => {
  test("an answer comes in pieces and ends with where to go on", async () => {
    const { parley, upstream } = await startScene();
    const client = await connect(`${parley.origin}/ask`);
    client.send(`${ASK_NEW}one two three`);
    const first = await readText(client);
    expect(first.text).toBe("echo: one two three");
    const { conversation, parent } = placeOf(first.end);
    client.send(`<|ask|>$${conversation}$${parent}$four`);
    expect((await readText(client)).text).toBe("echo: four");
    expect(upstream.requests.at(-1)?.json).toMatchObject({
      messages: [
        { role: "user", content: "one two three" },
        { role: "assistant", content: "echo: one two three" },
        { role: "user", content: "four" },
      ],
    });
    await client.close();
  });

  test("the prompt is all that follows, signs and lines included", async () => {
    const { parley } = await startScene();
    const client = await connect(`${parley.origin}/ask`);
    client.send(`${ASK_NEW}cost is $5$\nor 天空$`);
    expect((await readText(client)).text).toBe("echo: cost is $5$\nor 天空$");
  });

  test("an older answer begins a branch, and none goes on at the newest", async () => {
    const { parley, upstream } = await startScene();
    const client = await connect(`${parley.origin}/ask`);
    client.send(`${ASK_NEW}root`);
    const root = placeOf((await readText(client)).end);
    for (const prompt of ["left", "right"]) {
      client.send(`<|ask|>$${root.conversation}$${root.parent}$${prompt}`);
      await readText(client);
      expect(upstream.requests.at(-1)?.json).toMatchObject({
        messages: [{ content: "root" }, {}, { content: prompt }],
      });
    }
    client.send(`<|ask|>$${root.conversation}$new$leaf`);
    await readText(client);
    expect(upstream.requests.at(-1)?.json).toMatchObject({
      messages: [{ content: "root" }, {}, { content: "right" }, {}, { content: "leaf" }],
    });
    const tree = await postJson(`${parley.origin}/ask/${root.conversation}`, undefined, {
      method: "GET",
    });
    expect(tree.json).toMatchObject({ messages: { length: 8 } });
  });

  test("a frame out of form is told the form, and the connection stays", async () => {
    const { parley } = await startScene();
    const client = await connect(`${parley.origin}/ask`);
    for (const frame of ["", "hi", "<|ask|>", "<|ask|>$new", "<|ask|>$new$new", "<|ask|>$$new$x"]) {
      client.send(frame);
      const told = await client.next(frame);
      expect(told).toMatch(/^<\|err\|>\$/);
      expect(told).toContain(FORM);
    }
    client.send(`${ASK_NEW}still here`);
    expect((await readText(client)).text).toBe("echo: still here");
  });

  test.each([
    ["zh-CN", /\p{Script=Han}/u],
    ["ru", /\p{Script=Cyrillic}/u],
    ["en", /^[\x20-\x7e]+$/],
  ])("failures are told in the language of the handshake: %s", async (language, script) => {
    const { parley } = await startScene();
    const headers = { "accept-language": language };
    const client = await connect(`${parley.origin}/ask`, { headers });
    for (const frame of [ASK_NEW, "<|ask|>$nowhere$new$hi", "<|ask|>$new$nobody$hi", "x"]) {
      client.send(frame);
      const told = await client.next(frame);
      expect(told).toMatch(/^<\|err\|>\$./);
      expect(told.slice("<|err|>$".length)).toMatch(script);
    }
  });

  test("an answer that breaks ends in an error, and what came of it is kept", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: resetMidStream });
    const client = await connect(`${parley.origin}/ask`);
    client.send(`${ASK_NEW}one two three`);
    const { text, end } = await readText(client);
    expect(text).toMatch(/^echo/);
    expect(end).toMatch(/^<\|err\|>\$/);
    expect(end).not.toContain("canary");
    upstream.behave(createAnswer());
    client.send(`${ASK_NEW}again`);
    expect((await readText(client)).text).toBe("echo: again");
  });

  test("what looks like an end within an answer does not arrive as one", async () => {
    // in five pieces, of which the first holds both marks
    const text = "<|end|>$a$b and <|err|>$c, ".padEnd(200, "more ");
    const { parley } = await startScene({}, { behaviour: createAnswer({ text: () => text }) });
    const client = await connect(`${parley.origin}/ask`);
    client.send(`${ASK_NEW}go`);
    let joined = "";
    let frame = await client.next();
    while (!/^<\|end\|>\$[\w-]{8,}\$/.test(frame)) {
      expect(frame).not.toMatch(/<\|(end|err)\|>/);
      joined += frame;
      frame = await client.next();
    }
    expect(joined).toBe(text);
  });

  test("questions are answered one after the other, in their order, mistakes too", async () => {
    const { parley, upstream } = await startScene({}, { behaviour: stallMidStream });
    const client = await connect(`${parley.origin}/ask`);
    client.send(`${ASK_NEW}first`);
    expect(await client.next("the first piece")).toMatch(/^e/);
    upstream.behave(createAnswer());
    for (const prompt of ["second", "third"]) client.send(`${ASK_NEW}${prompt}`);
    client.send("out of form");
    client.send(`${ASK_NEW}fourth`);
    client.ws.ping();
    await new Promise((resolve) => client.ws.once("pong", resolve));
    expect(upstream.requests).toHaveLength(1);
    expect(client.waiting.filter((frame) => frame.startsWith("<|"))).toEqual([]);
    await client.close();
    await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: 5_000 });
  });

  test("waiting questions are answered when their turn comes, and one too many is refused", async () => {
    const go = Promise.withResolvers<void>();
    const { parley, upstream } = await startScene();
    upstream.behave({
      name: "held",
      run: async (exchange) => {
        await go.promise;
        await createAnswer().run(exchange);
      },
    });
    const client = await connect(`${parley.origin}/ask`);
    for (let count = 0; count < 10; count += 1) client.send(`${ASK_NEW}${count}`);
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 5_000 });
    go.resolve();
    for (let count = 0; count < 9; count += 1) {
      expect((await readText(client)).text).toBe(`echo: ${count}`);
    }
    const refused = await client.next("the refusal");
    expect(refused).toMatch(/^<\|err\|>\$.*\b8\b/);
    expect(upstream.requests).toHaveLength(9);
    client.send(`${ASK_NEW}more`);
    expect((await readText(client)).text).toBe("echo: more");
  });

  test("a key of the caller's pays for their questions, and a conversation is theirs", async () => {
    const { parley, upstream } = await startScene({ API_KEY: "" });
    const headers = { "openai-token": OWN_KEY };
    const client = await connect(`${parley.origin}/ask`, { headers });
    client.send(`${ASK_NEW}mine`);
    const { conversation } = placeOf((await readText(client)).end);
    expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${OWN_KEY}`);
    const other = await connect(`${parley.origin}/ask`, {
      headers: { authorization: "Bearer sk-other-key" },
    });
    other.send(`<|ask|>$${conversation}$new$yours?`);
    expect(await other.next()).toMatch(/^<\|err\|>\$.*conversation/);
    const nobody = await connect(`${parley.origin}/ask`);
    nobody.send(`${ASK_NEW}hi`);
    expect(await nobody.next()).toMatch(/^<\|err\|>\$.*key/);
    expect(parley.log.join("")).not.toContain(OWN_KEY);
  });

  test("an old port serves any path, and tells plain requests to upgrade", async () => {
    const { parley } = await startScene({ WS_PORT: "9001" });
    const origin = `http://127.0.0.1:${parley.ports.websocket}`;
    for (const path of ["", "/", "/anything/at?all=1"]) {
      const client = await connect(`${origin}${path}`);
      client.send(`${ASK_NEW}hi`);
      expect((await readText(client)).text).toBe("echo: hi");
    }
    for (const method of ["GET", "POST", "PUT"]) {
      const reply = await postJson(`${origin}/ask/new`, method === "GET" ? undefined : {}, {
        method,
        headers: { "accept-language": "ru" },
      });
      expect(reply.status).toBe(426);
      expect(reply.headers.upgrade).toBe("websocket");
      expect(reply.headers["x-request-id"]).toMatch(/./);
      expect(reply.json).toMatchObject({
        response: expect.stringMatching(/\p{Script=Cyrillic}/u),
        detail: "upgrade_needed",
      });
    }
  });
});
