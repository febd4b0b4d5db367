import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deadline, postJson, rawExchange, type SendOptions } from "../support/http.ts";
import { type Environment, type ParleyProcess, startProcess } from "../support/process.ts";
import { answer, type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

const WAIT_MS = 20_000;
const TEST_MS = 60_000;
const QUESTION = { user_content: "hello" };

let upstream: ScriptedUpstream;
const running: ParleyProcess[] = [];
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(async () => {
  await Promise.all(running.map((one) => one.close()));
  await upstream.close();
});

/** Every process asks with a key of its own, which tells whose calls reached the upstream. */
async function start(key: string, env: Environment): Promise<ParleyProcess> {
  const settings = { OPENAI_URL: upstream.url, API_KEY: `sk-${key}`, LOG_LEVEL: "info", ...env };
  const parley = await startProcess(settings);
  running.push(parley);
  return parley;
}

const reached = (key: string) =>
  upstream.requests.filter(({ headers }) => headers.authorization === `Bearer sk-${key}`).length;

async function ask(parley: ParleyProcess, times: number, options: (turn: number) => SendOptions) {
  const replies = await Promise.all(
    Array.from({ length: times }, (_, turn) => postJson(parley.url, QUESTION, options(turn))),
  );
  const count = (status: number) => replies.filter((reply) => reply.status === status).length;
  expect(count(200) + count(429)).toBe(times);
  return { admitted: count(200), replies };
}

describe.concurrent("limits", () => {
  test(
    "500 calls at once meet MINUTE_LIMIT=50 and exactly 50 are admitted",
    async () => {
      const parley = await start("at-once", { MINUTE_LIMIT: "50" });
      const { admitted, replies } = await ask(parley, 500, () => ({}));
      expect(admitted).toBe(50);
      expect(reached("at-once")).toBe(50);
      const refused = replies.filter(({ status }) => status === 429);
      for (const { headers, json } of refused) {
        expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
        expect(Number(headers["retry-after"])).toBeLessThanOrEqual(60);
        expect(json).toMatchObject({ code: 429, data: { window: "minute", limit: 50 } });
      }
      const remaining = replies.map(
        ({ headers }) => /r=(\d+)/.exec(String(headers.ratelimit))?.[1],
      );
      const admittedOnes = remaining.filter((_, at) => replies[at]?.status === 200).map(Number);
      expect(admittedOnes.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    },
    TEST_MS,
  );

  test(
    "10 seconds of calls against SECOND_LIMIT=5 never get 7 through in one second",
    async () => {
      const limit = 5;
      const parley = await start("stream", { SECOND_LIMIT: String(limit) });
      await postJson(parley.url, QUESTION);
      const arrivedMs = new Map<string, number>();
      upstream.behave((request) => {
        arrivedMs.set(request.bodyText, performance.now());
        return answer;
      });
      const admitted: { sentMs: number; arrivedMs: number }[] = [];
      const endMs = performance.now() + 10_000;
      let serial = 0;
      let refused = 0;
      const keepAsking = async () => {
        while (performance.now() < endMs) {
          serial += 1;
          const sentMs = performance.now();
          const user_content = `call ${serial}.`;
          const { status } = await postJson(parley.url, { user_content });
          if (status === 429) {
            refused += 1;
            await aMoment();
            continue;
          }
          expect(status).toBe(200);
          const [, at] = [...arrivedMs].find(([body]) => body.includes(`"${user_content}"`)) ?? [];
          admitted.push({ sentMs, arrivedMs: at ?? Number.NaN });
        }
      };
      await Promise.all(Array.from({ length: 6 }, keepAsking));

      // a call was admitted after it was sent and before it arrived: those wholly inside a span count
      const within = (fromMs: number) =>
        admitted.filter((one) => one.sentMs >= fromMs && one.arrivedMs <= fromMs + 1_000).length;
      const arrivals = admitted.map((one) => one.arrivedMs).sort((a, b) => a - b);
      const inASecond = (fromMs: number) =>
        arrivals.filter((ms) => ms >= fromMs && ms < fromMs + 1_000).length;
      const most = Math.max(...admitted.map(({ sentMs }) => within(sentMs)));
      const mostArrivals = Math.max(...arrivals.map(inASecond));
      process.stdout.write(
        `SECOND_LIMIT=${limit} for 10 s: ${admitted.length} admitted, ${refused} refused; ` +
          `most in any second ${most}, by arrival upstream ${mostArrivals}\n`,
      );
      expect(most).toBeLessThanOrEqual(limit + 1);
      expect(admitted.length).toBeGreaterThanOrEqual(9 * limit);
      expect(admitted.length).toBeLessThanOrEqual(11 * limit);
      expect(refused).toBeGreaterThan(50);
    },
    TEST_MS,
  );

  test(
    "headers about the client's address gain nothing from an untrusted peer",
    async () => {
      const parley = await start("spoofed", { MINUTE_LIMIT: "5" });
      const { admitted } = await ask(parley, 60, (turn) => {
        const address = `198.51.100.${turn}`;
        const spoofs: Record<string, string | readonly string[]>[] = [
          { "x-forwarded-for": address },
          { "x-forwarded-for": [address, `203.0.113.${turn}`] },
          { forwarded: `for=${address};proto=https` },
          { "x-real-ip": address, "true-client-ip": address, "x-client-ip": address },
          { "cf-connecting-ip": address, "x-cluster-client-ip": address },
          { via: `1.1 ${address}`, "x-forwarded-host": address, "x-originating-ip": address },
        ];
        return { headers: spoofs[turn % spoofs.length] ?? {} };
      });
      expect(admitted).toBe(5);
      expect(reached("spoofed")).toBe(5);
      // where another address is real, so is its budget
      const other = await postJson(parley.url, QUESTION, { localAddress: "127.0.0.2" });
      expect(other.status).toBe(200);
    },
    TEST_MS,
  );

  test(
    "three clients behind a trusted proxy have three budgets, whatever they claim to be",
    async () => {
      const parley = await start("proxied", { MINUTE_LIMIT: "4", TRUSTED_PROXIES: "loopback" });
      const clients = ["203.0.113.1", "203.0.113.2", "2001:db8:0:7::1"];
      const all = await ask(parley, 60, (turn) => {
        const client = clients[turn % 3] ?? "";
        const claims = [
          "",
          `10.0.0.${turn}, `,
          `"][, , unknown, 198.51.100.${turn}, `,
          "127.0.0.1, ",
        ];
        return { headers: { "x-forwarded-for": `${claims[turn % 4]}${client}` } };
      });
      expect(all.admitted).toBe(12);
      expect(reached("proxied")).toBe(12);
      const sameNetwork = await postJson(parley.url, QUESTION, {
        headers: { "x-forwarded-for": "2001:db8:0:7:ffff::9" },
      });
      expect(sameNetwork.status).toBe(429);
      const fourth = await postJson(parley.url, QUESTION, {
        headers: { "x-forwarded-for": "203.0.113.4" },
      });
      expect(fourth.status).toBe(200);
    },
    TEST_MS,
  );

  test(
    "however the path, the method or the connection is spelt, the budget is one",
    async () => {
      const parley = await start("spelt", { ROUTE: "api", MINUTE_LIMIT: "6" });
      const text = JSON.stringify(QUESTION);
      const requestTo = (target: string, method = "POST", extra = "") =>
        `${method} ${target} HTTP/1.1\r\nHost: parley.test\r\nContent-Type: application/json\r\n${extra}` +
        `Content-Length: ${text.length}\r\n\r\n${text}`;
      const targets = [
        ...["/api", "/api/", "/API", "/Api/", "//api", "/api//", "/./api", "/x/../api", "/api/."],
        ...[
          "/%61pi",
          "/a%70i/",
          "/api%2f",
          "/api%2F",
          "/api%00",
          "/api;x=1",
          "/api?x=1",
          "/api/?a/../",
        ],
        ...[
          "http://parley.test/api",
          "http://parley.test/api/",
          "http://parley.test//api",
          "\\api",
        ],
        ...["/api#x", "/api%3Fx", "/%2e/api", "/x/%2e%2e/api"],
      ];
      const sent = [
        ...targets.map((target) => requestTo(target)),
        ...["HEAD", "PUT", "PATCH", "DELETE", "GET"].map((method) => requestTo("/api", method)),
        requestTo("/api", "GET", "X-HTTP-Method-Override: POST\r\n"),
        requestTo("/api", "POST", "X-Original-URL: /other\r\nX-Rewrite-URL: /other\r\n"),
        requestTo("/api").repeat(10),
        (requestTo("/api/") + requestTo("/api?again")).repeat(5),
      ];
      const answers = await Promise.all(
        [...sent, ...sent].map((bytes, at) =>
          rawExchange(parley.port, bytes, {
            timeoutMs: WAIT_MS,
            label: `request ${at}`,
            idleMs: 1_000,
          }),
        ),
      );
      const statuses = answers.flatMap((one) =>
        Array.from(one.matchAll(/HTTP\/1\.1 (\d+) /g), ([, status]) => Number(status)),
      );
      expect(statuses.filter((status) => status === 200)).toHaveLength(6);
      expect(reached("spelt")).toBe(6);
      expect(statuses.filter((status) => status >= 500)).toEqual([]);
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(40);
    },
    TEST_MS,
  );

  test(
    "the paths of OpenAI's API have one budget, with and without /v1 and with any slashes",
    async () => {
      const parley = await start("openai", { MINUTE_LIMIT: "6" });
      const text = JSON.stringify({ model: "any", messages: [{ role: "user", content: "hi" }] });
      const requestTo = (target: string) =>
        `POST ${target} HTTP/1.1\r\nHost: parley.test\r\nAuthorization: Bearer sk-openai\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
      const starts = ["", "/", "//", "/v1", "//v1", "/v1/", "/%76%31", "/x/..", "/./v1"];
      const targets = starts.flatMap((before) =>
        ["/chat/completions", "/chat/completions/", "//chat/completions?x=1"].flatMap((path) => [
          before + path,
          `http://parley.test${before}${path}`,
        ]),
      );
      const answers = await Promise.all(
        targets.map((target) =>
          rawExchange(parley.port, requestTo(target), {
            timeoutMs: WAIT_MS,
            label: target,
            idleMs: 1_000,
          }),
        ),
      );
      const statuses = answers.map((one) => Number(/HTTP\/1\.1 (\d+) /.exec(one)?.[1]));
      expect(statuses.filter((status) => status === 200)).toHaveLength(6);
      expect(reached("openai")).toBe(6);
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(30);
    },
    TEST_MS,
  );

  test(
    "health, status and preflight cost nothing and are answered where calls are refused",
    async () => {
      const parley = await start("free", { DAY_LIMIT: "1" });
      const get = (path: string, method = "GET") =>
        postJson(`${parley.url}${path}`, undefined, { method });
      const free = ["/healthz", "/readyz", "/whoami", "/metrics", "/nowhere"];
      for (const path of [...free, ...free]) await get(path);
      await get("/", "OPTIONS");
      expect((await postJson(parley.url, QUESTION)).status).toBe(200);
      const { status, headers } = await postJson(parley.url, QUESTION);
      expect([status, headers["x-should-retry"]]).toEqual([429, "false"]);
      expect((await deadline(get("/healthz"), WAIT_MS, "health")).status).toBe(200);
    },
    TEST_MS,
  );
});

/** So that refused calls come by the dozen a second, not by the thousand. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 20));
