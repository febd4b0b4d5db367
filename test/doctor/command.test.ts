/** What the command prints, and how it ends. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import ruRU from "../../locales/ru_RU.json" with { type: "json" };
import { checkIds } from "../../src/doctor/check.ts";
import { folder, installed } from "../admin/support.ts";
import { certPath, keyPath } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { postJson } from "../support/http.ts";
import { OPERATOR_KEY } from "../support/scene.ts";
import { ADMIN_TOKEN, diagnose, doctor, startServer } from "./support/doctor.ts";

const QUICK = checkIds.filter((id) => id !== "silence").join(",");

describe("parley doctor", () => {
  test("on a good server finds nothing wrong, in JSON of one shape", async () => {
    const { code, out, checks, url } = await diagnose(await startServer(), "--only", QUICK);
    expect(code).toBe(0);
    expect(checks.map(({ id }) => id)).toEqual(QUICK.split(","));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    for (const one of checks) {
      expect(Object.keys(one)).toEqual(["id", "status", "seen", "means", "mend"]);
      expect(["ok", "skipped"], one.seen).toContain(one.status);
      expect([one.means, one.mend]).toEqual(["", ""]);
    }
    expect(out.trimEnd()).not.toContain("\n");
  });

  test("prints no secret, whatever it finds", async () => {
    const server = await startServer({ TRUSTED_PROXIES: "0.0.0.0/0", DAY_LIMIT: "" });
    server.upstream.behave({
      name: "refuses the key",
      run: ({ response, request }) => {
        response.writeHead(401, { "content-type": "application/json" });
        const message = `Incorrect API key provided: ${request.headers.authorization}`;
        response.end(JSON.stringify({ error: { message, code: "invalid_api_key" } }));
      },
    });
    const { code, out, err, check } = await diagnose(server, "--only", QUICK);
    expect([code, check("upstream").status, check("safety").status]).toEqual([
      1,
      "fault",
      "warning",
    ]);
    for (const secret of [ADMIN_TOKEN, OPERATOR_KEY]) expect(out + err).not.toContain(secret);
  });

  test("each key of the upstream is asked", async () => {
    const server = await startServer();
    const env = { ...server.env, API_KEY: "sk-first-0123456789, sk-second-0123456789" };
    server.upstream.behave(({ headers }) => ({
      name: "knows one key",
      run: ({ response }) => {
        const isKnown = headers.authorization?.includes("first") === true;
        response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" });
        response.end(isKnown ? '{"data":[]}' : '{"error":{"message":"no"}}');
      },
    }));
    const { check } = await diagnose({ ...server, env }, "--only", "upstream");
    expect(check("upstream")).toMatchObject({
      status: "fault",
      seen: expect.stringContaining("default, key 2"),
    });
  });

  test("takes the URL without --url, too", async () => {
    const { env, url } = await startServer();
    const found = await doctor(env, url, "--only", "prefix", "--json");
    expect(found.code).toBe(0);
    expect(JSON.parse(found.out).checks).toMatchObject([{ id: "prefix", status: "ok" }]);
    const both = await doctor(env, url, "--url", "https://a.example");
    expect(both.code).toBe(2);
    expect(both.err).toContain(`The argument ${url} is one too many.`);
  });

  test("where nobody answers, there is one fault", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, checks } = await diagnose({ url, env: {} });
    expect(code).toBe(1);
    const faults = checks.filter(({ status }) => status === "fault");
    expect(faults.map(({ id }) => id)).toEqual(["name"]);
    expect(checks.filter(({ status }) => status === "skipped")).toHaveLength(checkIds.length - 1);
  });

  test("where somebody takes the connection and says nothing, there is one fault", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const sockets = new Set<Socket>();
    silent.on("connection", (socket) => sockets.add(socket));
    onTestFinished(() => {
      silent.close();
      for (const socket of sockets) socket.destroy();
    });
    const { port } = silent.address() as AddressInfo; // a TCP server's address is never text
    const { checks } = await diagnose({ url: `http://127.0.0.1:${port}`, env: {} });
    const faults = checks.filter(({ status }) => status === "fault");
    expect(faults.map(({ id }) => id)).toEqual(["prefix"]);
  });

  test("without ADMIN_TOKEN it says what it could not see, and goes on", async () => {
    const { url, env } = await startServer();
    const { ADMIN_TOKEN: _, ...without } = env;
    const { code, check } = await diagnose({ url, env: without }, "--only", QUICK);
    expect(code).toBe(0);
    for (const id of ["stream", "hang-up", "body", "copies"]) {
      expect(check(id)).toMatchObject({
        status: "skipped",
        seen: expect.stringContaining("ADMIN_TOKEN is not set here"),
      });
    }
    expect(check("websocket").status).toBe("ok");
  });

  test("it signs itself in where it reads the server's database", async () => {
    const { url, env, parley } = await startServer({ ADMIN_TOKEN: "" });
    await parley.parley.offerSetup(parley.port);
    const [, code] = /#setup=([\w-]+)/.exec(parley.log.join("")) ?? [];
    const headers = { "sec-fetch-site": "same-origin" };
    const body = { code, token: "chosen-token-0123456789" };
    const before = await diagnose({ url, env }, "--only", "body");
    expect(before.check("body").seen).toContain("has no chosen token");
    expect((await postJson(`${url}/admin/setup`, body, { headers })).status).toBe(200);
    const { check, out, err } = await diagnose(
      { url, env },
      "--only",
      "stream,hang-up,body,copies",
    );
    for (const id of ["stream", "hang-up", "body", "copies"]) {
      expect(check(id).status, id).toBe("ok");
    }
    expect(out + err).not.toMatch(/parley_operator|scrypt/);
  });

  test("it uses ADMIN_TOKEN where it reads no database, or another one", async () => {
    const { url, env } = await startServer();
    for (const DATA_DIR of [folder(), (await installed()).DATA_DIR ?? ""]) {
      const { check } = await diagnose({ url, env: { ...env, DATA_DIR } }, "--only", "body");
      expect(check("body").status).toBe("ok");
    }
  });

  test("a token that the server refuses is said, not sent again", async () => {
    const { url, env } = await startServer();
    const other = { ...env, ADMIN_TOKEN: "another-0123456789-abcdefgh" };
    const { check } = await diagnose({ url, env: other }, "--only", "stream,body");
    expect(check("body").seen).toContain("refuses the ADMIN_TOKEN");
    expect(check("stream").seen).toContain("refuses the ADMIN_TOKEN");
  });

  test("limits do not count its calls", async () => {
    const server = await startServer({ DAY_LIMIT: "1" });
    const { code } = await diagnose(server, "--only", "headers,body,copies,address");
    expect(code).toBe(0);
  });

  test("warnings end it with 1 only if --strict is given", async () => {
    const server = await startServer({ DAY_LIMIT: "" });
    expect((await diagnose(server, "--only", "safety")).code).toBe(0);
    expect((await diagnose(server, "--only", "safety", "--strict")).code).toBe(1);
  });

  test("a secret that can be guessed is named by its setting, never shown", async () => {
    const weak = { ADMIN_TOKEN: "changeme-changeme", METRICS_TOKEN: "secret" };
    const { code, check, out, err } = await diagnose(await startServer(weak), "--only", "safety");
    expect(code).toBe(0);
    expect(check("safety").seen).toBe("ADMIN_TOKEN can be guessed. METRICS_TOKEN can be guessed.");
    for (const secret of Object.values(weak)) expect(out + err).not.toContain(`"${secret}"`);
    expect(out + err).not.toContain("changeme");
  });

  test("settings that are right for the server are right here", async () => {
    const { url, env } = await startServer();
    const files = { GRPC_TLS_CERT: certPath, GRPC_TLS_KEY: keyPath, GRPC_PORT: "9000" };
    const more = { ...env, ...files, PORT: "80", WS_PORT: "5000" };
    const { err } = await doctor(more, "--url", url, "--only", "safety");
    expect(err).not.toContain("Correct these settings");
    expect(err).toContain("Done: exposure");
  });

  test.each([
    [[], "--url is missing"],
    [["--url", "example.com"], "--url must be an address"],
    [["--url", "https://user:pass-word@example.com"], "no user and no password"],
    [["--url", "https://example.com", "--only", "streams"], "Did you mean stream?"],
    [["--url", "https://example.com", "--fast"], "--fast"],
  ])("wrong usage: %j", async (args, message) => {
    const { code, out, err } = await doctor({}, ...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err).not.toContain("pass-word");
  });

  test("the report and the progress are in the language of LANG", async () => {
    const { url, env } = await startServer({ LANG: "ru_RU.UTF-8" });
    const { out, err } = await doctor(env, "--url", url, "--only", "websocket");
    expect(out).toContain(`✓ WebSocket: ${ruRU.doctor.seen.websocket_ok}`);
    expect(err).toContain(ruRU.doctor.progress.done.replace("{{check}}", "WebSocket"));
  });
});
