/** Images and audio: forms, files and streams, with prices per unit. */
import { toFile } from "openai";
import { describe, expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OWN_KEY } from "../../support/scene.ts";
import { type Behaviour, goodHeaders } from "../../support/upstream.ts";
import { admin, bearer, errorOf, startTokenScene, tell } from "./support.ts";

const IMAGE = { created: 1, data: [{ b64_json: "aGk=" }] };

/** Answers with these bytes under this label. */
const send = (type: string, content: string | Uint8Array): Behaviour => ({
  name: "send",
  run: ({ request, response }) => {
    response.writeHead(200, goodHeaders(request, type));
    response.end(content);
  },
});

const sendEvents = (...events: readonly { readonly type: string }[]): Behaviour => ({
  name: "events",
  run: async ({ request, response, write }) => {
    response.writeHead(200, goodHeaders(request, "text/event-stream"));
    for (const event of events) {
      await write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  },
});

async function start(env: Readonly<Record<string, string>> = {}) {
  const scene = await startTokenScene(env);
  const { origin } = scene.parley;
  const price = (model: string, fields: object) => admin(origin, "PUT", `/prices/${model}`, fields);
  await price("draws", { per_image: "0.04" });
  await price("hears", { per_minute: "0.006" });
  await price("speaks", { per_million_characters: "15" });
  const post = (path: string, body: unknown, headers: object = {}) =>
    postJson(`${origin}/v1${path}`, body, { headers: { ...bearer(scene.token), ...headers } });
  /** Cost in dollars, and what the row says beside it. */
  const last = () => {
    const row = scene.rows().at(-1);
    return {
      model: row?.model,
      cost: row?.cost == null ? null : row.cost / 1e12,
      tokens: row?.total_tokens,
      provenance: row?.provenance,
      outcome: row?.outcome,
    };
  };
  return { ...scene, origin, price, post, last };
}

interface Part {
  readonly name: string;
  readonly content: string;
  readonly file?: string;
}

/** A form as a client writes it, in this order. */
function formOf(parts: readonly Part[], boundary = "x") {
  const written = parts.map(({ name, content, file }) => {
    const type = file === undefined ? "" : `; filename="${file}"\r\nContent-Type: audio/mpeg`;
    return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${type}\r\n\r\n${content}\r\n`;
  });
  return {
    body: Buffer.from(`${written.join("")}--${boundary}--\r\n`),
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  };
}

const file = { name: "file", content: "sound", file: "a.mp3" };
const model = { name: "model", content: "hears" };

describe("an image", () => {
  test("costs n times its unit, which is reserved first", async () => {
    const { client, last, upstream, issue } = await start();
    upstream.behave(tell(IMAGE));
    await client().images.generate({ model: "draws", prompt: "a cat", n: 3 });
    expect(last()).toMatchObject({ model: "draws", cost: 0.12, tokens: null });
    expect(last().provenance).toBe("reported");
    const poor = await issue({ money_per_day: "0.1" });
    const refused = client(poor.token).images.generate({ model: "draws", prompt: "a cat", n: 3 });
    await expect(refused).rejects.toMatchObject({ code: "insufficient_quota" });
    await client(poor.token).images.generate({ model: "draws", prompt: "a cat", n: 2 });
    expect(upstream.requests).toHaveLength(2);
  });

  test("adds tokens that are reported and have a price, too", async () => {
    const { client, last, upstream, price } = await start();
    await price("both", { per_image: "0.01", input: "5", output: "40" });
    upstream.behave(
      tell({ ...IMAGE, usage: { input_tokens: 10, output_tokens: 1_000, total_tokens: 1_010 } }),
    );
    await client().images.generate({ model: "both", prompt: "a cat" });
    expect(last()).toMatchObject({ cost: 0.05005, tokens: 1_010, provenance: "reported" });
  });

  test("whose tokens have a price and are not reported costs what was reserved of it", async () => {
    const { client, last, upstream, price } = await start();
    await price("tokens", { input: "5", output: "10" });
    upstream.behave(tell(IMAGE));
    await client().images.generate({ model: "tokens", prompt: "a cat" });
    expect(last()).toMatchObject({ provenance: "estimated" });
    expect(last().cost).toBeGreaterThan(0.063);
  });

  test("streams, and its last event has the usage", async () => {
    const { client, last, upstream, price } = await start();
    await price("gpt-image-1", { input: "5", output: "40" });
    const usage = { input_tokens: 10, output_tokens: 100, total_tokens: 110 };
    upstream.behave(
      sendEvents(
        { type: "image_generation.partial_image", ...{ b64_json: "YQ==", partial_image_index: 0 } },
        { type: "image_generation.completed", ...{ b64_json: "YWI=", usage } },
      ),
    );
    const events = await client().images.generate({
      model: "gpt-image-1",
      prompt: "a cat",
      stream: true,
      partial_images: 1,
    });
    expect((await Array.fromAsync(events)).map(({ type }) => type)).toEqual([
      "image_generation.partial_image",
      "image_generation.completed",
    ]);
    expect(last()).toMatchObject({ outcome: "completed", tokens: 110, provenance: "reported" });
  });

  test.each([0, 101, 1.5, "2"])("%j of them is refused", async (n) => {
    const { post, upstream } = await start();
    const reply = await post("/images/generations", { model: "draws", prompt: "a", n });
    expect([reply.status, errorOf(reply).param]).toEqual([400, "n"]);
    expect(upstream.requests).toEqual([]);
  });

  test("is edited by a form of the official client, or by JSON", async () => {
    const { client, post, last, upstream } = await start();
    upstream.behave(tell(IMAGE));
    const image = await toFile(Buffer.from("picture"), "a.png", { type: "image/png" });
    await client().images.edit({ image: [image, image], prompt: "ü", model: "draws", n: 2 });
    expect(last()).toMatchObject({ model: "draws", cost: 0.08 });
    const [asked] = upstream.requests;
    expect(asked?.path).toBe("/v1/images/edits");
    expect(asked?.bodyText.match(/name="image\[\]"; filename="a.png"/g)).toHaveLength(2);
    expect(asked?.bodyText).toContain("\r\n\r\nü\r\n");
    const images = [{ image_url: "https://example.com/a.png" }];
    const reply = await post("/images/edits", { model: "draws", prompt: "a", images });
    expect([reply.status, last().cost]).toEqual([200, 0.04]);
    expect(upstream.requests[1]?.json).toMatchObject({ images });
  });
});

describe("speech", () => {
  test("passes as the sound that it is, by its characters", async () => {
    const { client, last, upstream } = await start();
    const sound = Buffer.alloc(300_000, "\xff\x00", "latin1");
    upstream.behave(send("audio/mpeg", sound));
    const response = await client().audio.speech.create({
      model: "speaks",
      voice: "alloy",
      input: "Grüße 👋🏽",
    });
    expect(response.headers.get("content-type")).toBe("audio/mpeg");
    expect(Buffer.from(await response.arrayBuffer()).equals(sound)).toBe(true);
    expect(last()).toMatchObject({ cost: 8 * 15e-6, tokens: null, provenance: "reported" });
  });

  test("is no page, whatever the service calls it", async () => {
    const { post, upstream } = await start();
    upstream.behave(send("text/html", "<script>"));
    const reply = await post("/audio/speech", { model: "speaks", input: "a" });
    expect(reply.headers["content-type"]).toBe("application/octet-stream");
  });

  test("that is an error is an error", async () => {
    const { post, upstream, last } = await start();
    const error = { ...{ message: "no such voice", type: "invalid_request_error" }, param: null };
    upstream.behave(tell({ error: { ...error, code: null } }));
    const reply = await post("/audio/speech", { model: "speaks", input: "a" });
    expect([reply.status, errorOf(reply).message]).toEqual([400, "no such voice"]);
    expect(last()).toMatchObject({ cost: null, outcome: "failed" });
  });

  test("streams events, and the last one has the usage", async () => {
    const { post, upstream, last, price } = await start();
    await price("speaks", { input: "0.6", output: "12" });
    const usage = { input_tokens: 10, output_tokens: 100, total_tokens: 110 };
    upstream.behave(
      sendEvents(
        { type: "speech.audio.delta", ...{ audio: "YQ==" } },
        { type: "speech.audio.done", ...{ usage } },
      ),
    );
    const reply = await post("/audio/speech", {
      model: "speaks",
      input: "a",
      stream_format: "sse",
    });
    expect(reply.headers["content-type"]).toContain("text/event-stream");
    expect(reply.text).toContain("speech.audio.done");
    expect(last()).toMatchObject({ outcome: "completed", tokens: 110 });
  });
});

describe("a transcription", () => {
  test.each([
    [
      "the seconds that are billed",
      { text: "hi", usage: { type: "duration", seconds: 30 } },
      0.003,
    ],
    ["how long it takes", { text: "hi", duration: 90.5, language: "english" }, 0.00905],
  ])("costs by %s", async (_name, answer, cost) => {
    const { client, last, upstream } = await start();
    upstream.behave(tell(answer));
    const sound = await toFile(Buffer.from("sound"), "a.mp3");
    const heard = await client().audio.transcriptions.create({ file: sound, model: "hears" });
    expect(heard).toEqual(answer);
    expect(last()).toMatchObject({ model: "hears", cost, tokens: null, provenance: "reported" });
  });

  test("in another form than JSON costs by the size of the upload", async () => {
    const { client, last, upstream } = await start();
    upstream.behave(send("text/vtt", "WEBVTT\n"));
    const sound = await toFile(Buffer.alloc(40_000), "a.mp3");
    const asked = { file: sound, model: "hears", response_format: "vtt" } as const;
    expect(await client().audio.transcriptions.create(asked)).toBe("WEBVTT\n");
    expect(last()).toMatchObject({ cost: 0.001, provenance: "estimated" });
    const wave = Buffer.alloc(64_044);
    wave.write("RIFF....WAVEfmt ", "latin1");
    wave.writeUInt16LE(1, 20);
    wave.writeUInt16LE(1, 22);
    wave.writeUInt32LE(16_000, 24);
    wave.writeUInt16LE(16, 34);
    await client().audio.transcriptions.create({ ...asked, file: await toFile(wave, "a.wav") });
    expect(last()).toMatchObject({ cost: 0.0003, provenance: "estimated" });
  });

  test("by tokens costs its sound apart", async () => {
    const { client, last, upstream, price } = await start();
    await price("listens", { input: "2.5", audio_input: "6", output: "10" });
    const input_token_details = { text_tokens: 0, audio_tokens: 100 };
    const usage = {
      ...{ input_tokens: 100, output_tokens: 10, total_tokens: 110 },
      input_token_details,
    };
    upstream.behave(tell({ text: "hi", usage: { type: "tokens", ...usage } }));
    const sound = await toFile(Buffer.from("sound"), "a.mp3");
    await client().audio.transcriptions.create({ file: sound, model: "listens" });
    expect(last()).toMatchObject({ cost: 0.0007, tokens: 110 });
  });

  test("streams", async () => {
    const { client, last, upstream } = await start();
    upstream.behave(
      sendEvents(
        { type: "transcript.text.delta", ...{ delta: "hi" } },
        {
          type: "transcript.text.done",
          ...{ text: "hi", usage: { type: "duration", seconds: 60 } },
        },
      ),
    );
    const sound = await toFile(Buffer.from("sound"), "a.mp3");
    const events = await client().audio.transcriptions.create({
      ...{ file: sound, model: "hears", stream: true },
    });
    expect(await Array.fromAsync(events)).toHaveLength(2);
    expect(last()).toMatchObject({ outcome: "completed", cost: 0.006, provenance: "reported" });
    expect(upstream.requests[0]?.bodyText).toContain('name="stream"\r\n\r\ntrue\r\n');
  });

  test("whose model has no price is refused, and a chat by units, too", async () => {
    const { post, ask, upstream, price } = await start();
    const { body, headers } = formOf([file, { ...model, content: "unpriced" }]);
    const reply = await post("/audio/translations", body, headers);
    expect([reply.status, errorOf(reply).code]).toEqual([400, "model_not_priced"]);
    await price("sees", { per_image: "1" });
    const chat = await ask({ model: "sees", messages: [{ role: "user", content: "hi" }] });
    expect(errorOf(chat).code).toBe("model_not_priced");
    expect(upstream.requests).toEqual([]);
  });
});

describe("the form of a token", () => {
  test.each([
    ["after the file", [file, model]],
    ["before the file", [model, file]],
  ])("may have its model %s", async (_name, parts) => {
    const { post, upstream, last } = await start();
    upstream.behave(tell({ text: "hi", duration: 10 }));
    const { body, headers } = formOf(parts);
    for (const extra of [{}, { "content-length": [], "transfer-encoding": "chunked" }]) {
      const reply = await post("/audio/transcriptions", body, { ...headers, ...extra });
      expect([reply.status, last().cost]).toEqual([200, 0.001]);
    }
    const text = upstream.requests[0]?.bodyText ?? "";
    expect(text.match(/name="\w+"/g)).toEqual(parts.map(({ name }) => `name="${name}"`));
    expect(text).toContain('filename="a.mp3"\r\nContent-Type: audio/mpeg\r\n\r\nsound\r\n');
  });

  test("holds no second model, however it is hidden", async () => {
    const { post, upstream } = await start();
    upstream.behave(tell({ text: "hi", duration: 10 }));
    const twice = formOf([model, file, { ...model, content: "dear" }]);
    const refused = await post("/audio/transcriptions", twice.body, twice.headers);
    expect([refused.status, errorOf(refused).param]).toEqual([400, "model"]);
    const named = ["Model", "model[]", "MODEL", "api_key"].map((name) => ({
      name,
      content: "dear",
    }));
    const inside = 'a\n--x\nContent-Disposition: form-data; name="model"\n\ndear\n--x--\n';
    const hidden = formOf([...named, model, { ...file, content: inside }]);
    const reply = await post("/audio/transcriptions", hidden.body, hidden.headers);
    expect(reply.status).toBe(200);
    const [asked] = upstream.requests;
    const boundary = /boundary=(.*)$/.exec(String(asked?.headers["content-type"]))?.[1] ?? "";
    const parts = asked?.bodyText.split(`--${boundary}`) ?? [];
    expect(parts.filter((part) => part.startsWith("\r\nContent-Disposition"))).toHaveLength(2);
    expect(boundary.length).toBeGreaterThan(30);
  });

  test("that can't be read, or is too large, is refused", async () => {
    const { post, upstream } = await start({ MAX_UPLOAD_BYTES: "4096" });
    const cut = Buffer.from(
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
    );
    const { headers } = formOf([]);
    const broken = await post("/audio/transcriptions", cut, headers);
    expect([broken.status, errorOf(broken).code]).toEqual([400, "bad_request"]);
    const unbound = { "content-type": "multipart/form-data" };
    expect((await post("/audio/transcriptions", cut, unbound)).status).toBe(400);
    const large = formOf([model, { ...file, content: "a".repeat(5_000) }]);
    for (const extra of [{}, { "content-length": [], "transfer-encoding": "chunked" }]) {
      const reply = await post("/audio/transcriptions", large.body, { ...large.headers, ...extra });
      expect([reply.status, errorOf(reply).code]).toEqual([413, "body_too_large"]);
    }
    expect((await post("/audio/transcriptions", { model: "hears" })).status).toBe(415);
    const without = formOf([file]);
    const reply = await post("/audio/transcriptions", without.body, without.headers);
    expect([reply.status, errorOf(reply).param]).toEqual([400, "model"]);
    const many = formOf([
      model,
      file,
      ...Array.from({ length: 300 }, () => ({ ...model, name: "a" })),
    ]);
    expect((await post("/audio/transcriptions", many.body, many.headers)).status).toBe(413);
    expect(upstream.requests).toEqual([]);
  });

  test("is tried again, as it was read whole", async () => {
    const { post, upstream } = await start({ RETRIES: "1" });
    let calls = 0;
    upstream.behave(() => {
      calls += 1;
      return calls === 1 ? { name: "reset", run: ({ cut }) => cut("reset") } : tell({ text: "hi" });
    });
    const { body, headers } = formOf([file, model]);
    expect((await post("/audio/transcriptions", body, headers)).status).toBe(200);
    expect(calls).toBe(2);
  });
});

test("the form of an own key passes as it is, and its answer in any form", async () => {
  const { post, upstream, last } = await start();
  const { body, headers } = formOf([file, { ...model, content: "any" }]);
  const own = { ...headers, ...bearer(OWN_KEY) };
  upstream.behave(send("text/plain", "heard"));
  const reply = await post("/audio/transcriptions", body, own);
  expect([reply.status, reply.text]).toEqual([200, "heard"]);
  expect(reply.headers["content-type"]).toBe("text/plain; charset=utf-8");
  expect(upstream.requests[0]?.bodyText).toBe(String(body));
  expect(last()).toMatchObject({ outcome: "completed", cost: null });
  upstream.behave(sendEvents({ type: "transcript.text.done" }));
  expect((await post("/audio/transcriptions", body, own)).text).toContain("transcript.text.done");
  upstream.behave(tell({ error: { message: "no", type: "invalid_request_error" } }));
  expect((await post("/audio/translations", body, own)).status).toBe(400);
});
