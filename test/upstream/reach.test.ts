import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpsServer, type Server } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cert, keyPath } from "../support/certificate.ts";
import { closeIdleSocket, redirect, stallMidStream } from "../support/faults.ts";
import { freePort } from "../support/free-port.ts";
import { deadline } from "../support/http.ts";
import { type LoopbackProxy, startHttpProxy, startSocksProxy } from "../support/proxies.ts";
import { answer, type Behaviour, startUpstream } from "../support/upstream.ts";
import {
  allOf,
  createAsking,
  echoed,
  endOfComplete,
  endOfStream,
  key,
  question,
  rejection,
} from "./asking.ts";

const both = [endOfComplete, endOfStream];

describe("an upstream that can't be reached", () => {
  const expectUnreachable = async (url: string, proxyUrl?: string) => {
    const deadlines = { connect: 300, head: 4_000, total: 5_000 };
    const asking = createAsking({
      url,
      deadlines,
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
    });
    for (const ask of both) {
      const { error } = await deadline(ask(asking), 4_500, `an answer from ${url}`);
      expect(error).toMatchObject({ code: "upstream_unreachable", params: {}, details: {} });
      expect(allOf(error)).not.toContain(key);
    }
    await asking.close();
  };

  test.concurrent("nobody listens there", async () => {
    await expectUnreachable(`http://127.0.0.1:${await freePort()}/v1`);
  });

  test.concurrent("the name is not known", async () => {
    await expectUnreachable("http://nothing.invalid/v1");
  });

  test.concurrent("it speaks no TLS", async () => {
    const upstream = await startUpstream();
    await expectUnreachable(upstream.url.replace("http:", "https:"));
    expect(upstream.requests).toEqual([]);
    await upstream.close();
  });

  test.concurrent("it accepts and then never says hello", async () => {
    const mute = createServer((socket) => socket.on("error", () => undefined));
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    await expectUnreachable(`https://127.0.0.1:${(mute.address() as AddressInfo).port}/v1`);
    mute.close();
  });

  test.concurrent.each(["http", "socks5"])("the %s proxy is not there", async (kind) => {
    const upstream = await startUpstream();
    await expectUnreachable(upstream.url, `${kind}://127.0.0.1:${await freePort()}`);
    expect(upstream.requests).toEqual([]);
    await upstream.close();
  });
});

describe("an upstream whose certificate is its own", () => {
  let server: Server;
  let url: string;
  const received: string[] = [];

  beforeAll(async () => {
    const pair = { cert, key: readFileSync(keyPath) };
    server = createHttpsServer(pair, (incoming, outgoing) => {
      received.push(incoming.url ?? "");
      outgoing.end("{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `https://localhost:${(server.address() as AddressInfo).port}/v1`;
  });
  afterAll(() => server.close());

  test("is not asked: the key never goes there", async () => {
    const asking = createAsking({ url });
    for (const ask of both) {
      const { error } = await ask(asking);
      expect(error).toMatchObject({ code: "upstream_unreachable", params: {} });
      expect(error?.cause).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    }
    expect(received).toEqual([]);
    await asking.close();
  });

  test.each([
    ["http", startHttpProxy],
    ["socks5", startSocksProxy],
  ])("is not asked through an %s proxy either", async (kind, start) => {
    const proxy = await start();
    const asking = createAsking({ url, proxyUrl: `${kind}://127.0.0.1:${proxy.port}` });
    expect(await endOfComplete(asking)).toMatchObject({ said: "upstream_unreachable" });
    expect(proxy.targets).toEqual([new URL(url).host]);
    expect(received).toEqual([]);
    await asking.close();
    await proxy.close();
  });
});

describe("through a proxy", () => {
  const login = { username: "us er@home", password: "p@ss:w/r%d#1" };
  const userinfo = `${encodeURIComponent(login.username)}:${encodeURIComponent(login.password)}@`;
  const secrets = [login.password, encodeURIComponent(login.password), basicOf(login)];
  const kinds = [
    ["http", startHttpProxy],
    ["socks5", startSocksProxy],
    ["socks5h", startSocksProxy],
    ["socks", startSocksProxy],
  ] as const;

  test.concurrent.each(kinds)("%s: both kinds of question are answered", async (kind, start) => {
    const [upstream, proxy] = await Promise.all([startUpstream(), start()]);
    const asking = createAsking({
      url: upstream.url,
      proxyUrl: `${kind}://127.0.0.1:${proxy.port}`,
    });
    for (const ask of both) {
      expect(await ask(asking)).toMatchObject({ said: "answer", text: echoed });
    }
    expect(proxy.targets).toContain(`127.0.0.1:${upstream.port}`);
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${key}`);
    await closeAll(asking, upstream, proxy);
  });

  test.concurrent.each(kinds)(
    "%s: with a login in its URL, odd characters too",
    async (kind, start) => {
      const [upstream, proxy] = await Promise.all([startUpstream(), start(login)]);
      const asking = createAsking({
        url: upstream.url,
        proxyUrl: `${kind}://${userinfo}127.0.0.1:${proxy.port}`,
      });
      for (const ask of both) {
        expect(await ask(asking)).toMatchObject({ said: "answer", text: echoed });
      }
      expect(upstream.requests).toHaveLength(2);
      for (const { headers } of upstream.requests) {
        expect(headers).not.toHaveProperty("proxy-authorization");
      }
      await closeAll(asking, upstream, proxy);
    },
  );

  test.concurrent.each(kinds)("%s: a wrong login shows in no error", async (kind, start) => {
    const theirs = { ...login, username: "somebody else" };
    const [upstream, proxy] = await Promise.all([startUpstream(), start(theirs)]);
    const asking = createAsking({
      url: upstream.url,
      proxyUrl: `${kind}://${userinfo}127.0.0.1:${proxy.port}`,
    });
    for (const ask of both) {
      const { error } = await deadline(ask(asking), 3_000, "the refusal");
      expect(error?.code).toMatch(/^upstream_(unreachable|failed)$/);
      for (const secret of [...secrets, key]) expect(allOf(error)).not.toContain(secret);
    }
    expect(upstream.requests).toEqual([]);
    await closeAll(asking, upstream, proxy);
  });

  test.concurrent.each(kinds)(
    "%s: a proxy that is gone shows its login in no error",
    async (kind) => {
      const upstream = await startUpstream();
      const port = await freePort();
      const asking = createAsking({
        url: upstream.url,
        proxyUrl: `${kind}://${userinfo}127.0.0.1:${port}`,
      });
      for (const ask of both) {
        const { error } = await ask(asking);
        expect(error).toMatchObject({ code: "upstream_unreachable", params: {}, details: {} });
        for (const secret of [...secrets, key]) expect(allOf(error)).not.toContain(secret);
      }
      await closeAll(asking, upstream);
    },
  );

  test.concurrent.each(kinds)(
    "%s: a client that leaves closes the upstream",
    async (kind, start) => {
      const [upstream, proxy] = await Promise.all([
        startUpstream({ behaviour: stallMidStream }),
        start(),
      ]);
      const asking = createAsking({
        url: upstream.url,
        proxyUrl: `${kind}://127.0.0.1:${proxy.port}`,
      });
      const client = new AbortController();
      const events = (await asking.stream(question, client.signal))[Symbol.asyncIterator]();
      await events.next();
      client.abort();
      const left = { label: "the upstream is left", timeoutMs: 1_000 };
      await upstream.waitFor(() => upstream.closedEarly.count === 1, left);
      await closeAll(asking, upstream, proxy);
    },
  );
});

describe("to where the operator said, and nowhere else", () => {
  test.each([301, 302, 307, 308] as const)("a %i is not followed", async (status) => {
    const elsewhere = await startUpstream();
    const upstream = await startUpstream({
      behaviour: redirect(status, `${elsewhere.url}/chat/completions`),
    });
    const asking = createAsking({ url: upstream.url });
    for (const ask of both) {
      expect((await ask(asking)).error).toMatchObject({
        code: "upstream_failed",
        params: {},
        details: { upstream_status: status },
      });
    }
    expect(upstream.requests).toHaveLength(2);
    expect(elsewhere.requests).toEqual([]);
    await closeAll(asking, upstream, elsewhere);
  });

  test.concurrent.each([
    ["", "/v1/chat/completions"],
    ["/", "/v1/chat/completions"],
    ["/v1", "/v1/chat/completions"],
    ["/v1/", "/v1/chat/completions"],
    ["/v1/chat/completions", "/v1/chat/completions"],
    ["/v1/chat/completions/", "/v1/chat/completions"],
    ["/v1/completions", "/v1/chat/completions"],
    ["/api/paas/v4", "/api/paas/v4/chat/completions"],
    ["/openai/deployments/mine", "/openai/deployments/mine/chat/completions"],
    ["/v1?api-version=2024-10-21", "/v1/chat/completions?api-version=2024-10-21"],
    ["/v1/chat/completions?a=b&c=d%20e", "/v1/chat/completions?a=b&c=d%20e"],
    ["?a=b", "/v1/chat/completions?a=b"],
  ])("OPENAI_URL with %j asks %s", async (given, path) => {
    const upstream = await startUpstream();
    const asking = createAsking({ url: new URL(upstream.url).origin + given });
    for (const ask of both) await ask(asking);
    await asking.complete({ ...question, model: "davinci-002" }).catch(() => undefined);
    expect(upstream.requests.map((request) => request.path)).toEqual([
      path,
      path,
      path.replace("/chat/completions", "/completions"),
    ]);
    await closeAll(asking, upstream);
  });

  test("the request has the headers it needs and no others", async () => {
    const upstream = await startUpstream();
    const asking = createAsking({ url: upstream.url });
    for (const ask of both) await ask(asking);
    for (const { headers, method } of upstream.requests) {
      expect(method).toBe("POST");
      expect(headers).toEqual({
        host: `127.0.0.1:${upstream.port}`,
        connection: "keep-alive",
        authorization: `Bearer ${key}`,
        accept: "application/json, text/event-stream",
        "accept-encoding": "identity",
        "user-agent": "parley/test",
        "content-type": "application/json",
        "content-length": expect.stringMatching(/^\d+$/),
      });
    }
    await closeAll(asking, upstream);
  });
});

describe("connections", () => {
  /** The sockets that the requests came in on. */
  const countingSockets = (behaviour: Behaviour = answer) => {
    const sockets = new Set<unknown>();
    const seen: Behaviour = {
      name: "counting sockets",
      run: async (exchange) => {
        sockets.add(exchange.response.socket);
        await behaviour.run(exchange);
      },
    };
    return { sockets, seen };
  };

  test("are used again, after [DONE] too", async () => {
    const { sockets, seen } = countingSockets();
    const upstream = await startUpstream({ behaviour: seen });
    const asking = createAsking({ url: upstream.url });
    for (let i = 0; i < 20; i += 1) {
      expect(await both[i % 2]?.(asking)).toMatchObject({ said: "answer" });
      await upstream.waitFor(() => upstream.open() === 0, { label: "ended", timeoutMs: 1_000 });
    }
    // the end of a body may come after the next question was sent: then there are two
    expect(sockets.size).toBeLessThanOrEqual(2);
    await closeAll(asking, upstream);
  });

  test("that the upstream closes between two questions cost no more than one try again", async () => {
    const { sockets, seen } = countingSockets(closeIdleSocket);
    const upstream = await startUpstream({ behaviour: seen });
    const asking = createAsking({ url: upstream.url });
    let failures = 0;
    for (let i = 0; i < 20; i += 1) {
      const ending = await both[i % 2]?.(asking);
      if (ending?.said !== "answer") failures += 1;
      if (ending?.error) expect(ending.error.code).toBe("upstream_unreachable");
    }
    expect(failures).toBeLessThanOrEqual(10);
    expect(sockets.size).toBeGreaterThanOrEqual(10);
    await closeAll(asking, upstream);
  });

  test("are closed with the transport, and what is under way fails", async () => {
    const upstream = await startUpstream({ behaviour: stallMidStream });
    const asking = createAsking({ url: upstream.url });
    const whole = rejection(asking.complete());
    await upstream.waitFor(() => upstream.open() === 1, { label: "asked", timeoutMs: 1_000 });
    await asking.close();
    expect((await whole).code).toMatch(/^upstream_(failed|unreachable)$/);
    await upstream.waitFor(() => upstream.open() === 0, { label: "closed", timeoutMs: 1_000 });
    await upstream.close();
  });
});

function basicOf({ username, password }: { username: string; password: string }): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}

async function closeAll(
  ...all: readonly (Pick<LoopbackProxy, "close"> | undefined)[]
): Promise<void> {
  for (const one of all) await one?.close();
}
