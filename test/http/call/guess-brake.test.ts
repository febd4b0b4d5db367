import { describe, expect, test } from "vitest";
import { createGuessBrakes } from "../../../src/http/call/guess-brake.ts";
import { postJson, type SendOptions } from "../../support/http.ts";
import { createHeldClock } from "../../support/parley.ts";
import { startScene } from "../../support/scene.ts";

const ADMIN_TOKEN = "admin-0123456789-0123456789";
const METRICS_TOKEN = "metrics-0123456789";
const ACCESS_TOKEN = "access-0123456789";
const settings = { ADMIN_TOKEN, METRICS_TOKEN, ACCESS_TOKEN, SHARED_KEY: "token" };

async function start() {
  const clock = createHeldClock();
  const { parley } = await startScene(settings, { clock });
  const send = (path: string, token: string, options: SendOptions = {}, body?: unknown) =>
    postJson(parley.origin + path, body, {
      method: body === undefined ? "GET" : "POST",
      ...options,
      headers: { authorization: `Bearer ${token}`, ...options.headers },
    });
  const guess = async (count: number, path: string, options?: SendOptions, body?: unknown) => {
    const statuses: number[] = [];
    for (let at = 0; at < count; at += 1) {
      statuses.push((await send(path, `parley-guess-${at}`, options, body)).status);
    }
    return statuses;
  };
  return { clock, parley, send, guess };
}

const times = (count: number, status: number) => Array<number>(count).fill(status);

describe("after ten wrong tokens for /metrics", () => {
  test("the right one is refused, too, for that address and for a minute", async () => {
    const { clock, send, guess } = await start();
    expect(await guess(11, "/metrics")).toEqual([...times(10, 404), 429]);
    clock.forward(20_000);
    const { status, headers, text } = await send("/metrics", METRICS_TOKEN);
    expect([status, headers["retry-after"], text]).toEqual([
      429,
      "40",
      expect.stringMatching(/40 s/),
    ]);
    const elsewhere = await send("/metrics", METRICS_TOKEN, { localAddress: "127.0.0.2" });
    expect(elsewhere.status).toBe(200);
    clock.forward(40_000);
    expect((await send("/metrics", METRICS_TOKEN)).status).toBe(200);
  });

  test("the log warns once a minute, with their number", async () => {
    const { clock, parley, guess } = await start();
    const warnings = () => parley.log.filter((line) => line.includes("wrong_tokens"));
    await guess(9, "/metrics");
    expect(warnings()).toEqual([]);
    await guess(21, "/metrics");
    expect(warnings().map((line) => JSON.parse(line).attempts)).toEqual([10]);
    clock.forward(61_000);
    await guess(10, "/metrics");
    expect(warnings().map((line) => JSON.parse(line).attempts)).toEqual([10, 30]);
    expect(JSON.parse(warnings()[0] ?? "")).toMatchObject({ level: 40, client: "127.0.0.1" });
  });
});

describe("wrong tokens for /admin", () => {
  const path = "/admin/tokens";

  test("five within a minute close it to their address, for a minute", async () => {
    const { clock, send, guess } = await start();
    expect(await guess(6, path)).toEqual([...times(5, 401), 429]);
    clock.forward(20_000);
    const { status, headers } = await send(path, ADMIN_TOKEN);
    expect([status, headers["retry-after"]]).toEqual([429, "40"]);
    expect((await send(path, ADMIN_TOKEN, { localAddress: "127.0.0.2" })).status).toBe(200);
    clock.forward(40_000);
    expect((await send(path, ADMIN_TOKEN)).status).toBe(200);
  });

  test("twenty within an hour close it until the first is an hour old", async () => {
    const { clock, send, guess } = await start();
    for (let time = 0; time < 4; time += 1) {
      expect(await guess(5, path)).toEqual(times(5, 401));
      clock.forward(60_000);
    }
    const { status, headers } = await send(path, ADMIN_TOKEN);
    expect([status, headers["retry-after"]]).toEqual([429, String(3_600 - 240)]);
    clock.forward((3_600 - 240) * 1_000);
    expect((await send(path, ADMIN_TOKEN)).status).toBe(200);
  });

  test("each is logged once, in ten lines a minute at most", async () => {
    const { clock, parley, guess } = await start();
    const lines = () => parley.log.filter((line) => line.includes('"wrong_operator_token"'));
    const attempts = () => lines().map((line) => JSON.parse(line).attempts);
    await guess(3, path);
    expect(attempts()).toEqual([1, 1, 1]);
    expect(JSON.parse(lines()[0] ?? "")).toMatchObject({ level: 40, client: "127.0.0.1" });
    await guess(20, path);
    expect(attempts()).toEqual(times(10, 1));
    clock.forward(61_000);
    await guess(1, path);
    expect(attempts().at(-1)).toBe(14);
  });
});

describe("a brake whose tokens take time", () => {
  const create = () => {
    const heard: number[] = [];
    const { admin } = createGuessBrakes({
      clock: createHeldClock(),
      onGuessing: () => undefined,
      onOperatorGuess: (attempts) => heard.push(attempts),
    });
    return { admin, heard };
  };

  test("counts those that are being looked at: many at once are no way around", async () => {
    const { admin, heard } = create();
    const looked: number[] = [];
    const guesses = Array.from({ length: 8 }, (_, at) =>
      admin.decide("a", async () => {
        looked.push(at);
        await Promise.resolve();
        return false;
      }),
    );
    const ended = await Promise.allSettled(guesses);
    expect(looked).toEqual([0, 1, 2, 3, 4]);
    expect(ended.map(({ status }) => status).filter((one) => one === "rejected")).toHaveLength(3);
    expect(heard).toHaveLength(5);
  });

  test("takes nothing for right ones, and nothing for those that nobody could look at", async () => {
    const { admin, heard } = create();
    for (let time = 0; time < 6; time += 1) {
      expect(await admin.decide("a", async () => true)).toBe(true);
      const broken = admin.decide("a", () => Promise.reject(new Error("away")));
      await expect(broken).rejects.toThrow("away");
    }
    expect(heard).toEqual([]);
  });
});

test("POST /system counts towards the same five as /admin", async () => {
  const { send, guess } = await start();
  expect(await guess(5, "/system", {}, { content: "x" })).toEqual(times(5, 403));
  expect((await send("/admin/tokens", ADMIN_TOKEN)).status).toBe(429);
});

describe("of callers", () => {
  const messages = [{ role: "user", content: "hi" }];
  /** Good for every dialect. */
  const question = {
    model: "gpt-4o-mini",
    messages,
    user_content: "hi",
    prompt: "hi",
    content: "hi",
  };

  test("only further unknown tokens are refused with 429", async () => {
    const { send, guess } = await start();
    const created = await send("/admin/tokens", ADMIN_TOKEN, {}, { name: "alice" });
    const { token } = created.json as { token: string };
    const price = { input: "1", output: "1" };
    await send("/admin/prices/gpt-4o-mini", ADMIN_TOKEN, { method: "PUT" }, price);
    expect(await guess(12, "/", {}, question)).toEqual([...times(10, 401), 429, 429]);
    const paths = ["/v1/chat/completions", "/ask/new", "/c/chat"];
    for (const path of paths) expect(await guess(1, path, {}, question)).toEqual([429]);
    expect((await send("/", token, {}, question)).status).toBe(200);
    expect((await send("/", "sk-own", {}, question)).status).toBe(200);
    expect((await send("/admin/tokens", ADMIN_TOKEN)).status).toBe(200);
  });

  test("wrong shared secrets stay 403 and are warned of", async () => {
    const { parley, send } = await start();
    const body = { prompt: "hi", generate_params: {} };
    const enter = (secret: string) =>
      send("/chat_complete", "sk-own", { headers: { "access-token": secret } }, body);
    for (let at = 0; at < 12; at += 1) expect((await enter(`guess-${at}`)).status).toBe(403);
    expect((await enter(ACCESS_TOKEN)).status).toBe(200);
    expect(parley.log.filter((line) => line.includes("wrong_tokens"))).toHaveLength(1);
    const tokens = await enter("parley-guess");
    expect(tokens.status).toBe(429);
  });
});

test("memory is bounded: the address that began first is forgotten", () => {
  const told = { onGuessing: () => undefined, onOperatorGuess: () => undefined };
  const { admin } = createGuessBrakes({ clock: createHeldClock(), ...told });
  const judge = (bucket: string) => () => admin.judge(bucket, true);
  for (let count = 0; count < 5; count += 1) admin.wrong("first");
  for (let count = 0; count < 9_999; count += 1) admin.wrong(`address ${count}`);
  expect(judge("first")).toThrow();
  admin.wrong("one more");
  expect(judge("first")).not.toThrow();
});

test("no page may call /admin: neither responses nor preflights have CORS headers", async () => {
  const { parley, send } = await start();
  const preflight = (path: string) =>
    postJson(parley.origin + path, undefined, {
      method: "OPTIONS",
      headers: {
        origin: "https://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
      },
    });
  const replies = [
    await send("/admin/tokens", ADMIN_TOKEN),
    await send("/admin/tokens", "wrong"),
    await send("/admin/usage/export", ADMIN_TOKEN),
    await send("/admin/none", ADMIN_TOKEN),
    await send("/admin/tokens", ADMIN_TOKEN, { method: "PATCH" }),
    await preflight("/admin/tokens"),
    await preflight("/admin"),
    await preflight("/%61dmin/tokens"),
  ];
  const names = replies.flatMap(({ headers }) => Object.keys(headers));
  expect(names.filter((name) => name.startsWith("access-control"))).toEqual([]);
  const open = await preflight("/administrators");
  expect(open.headers["access-control-allow-headers"]).toBe("authorization, *");
});
