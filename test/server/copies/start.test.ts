/** A start with a shared store that is wrong ends with 78 and one line; with one that is away it goes on. */
import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { SettingMistake } from "../../../src/compose/failures.ts";
import { explainProblems } from "../../../src/config/read.ts";
import { STORE_RIGHTS } from "../../../src/limits/shared/rights.ts";
import {
  certPath,
  elsewhereCertPath,
  expiredCertPath,
  keyPath,
} from "../../support/certificate.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { freePort } from "../../support/free-port.ts";
import { postJson } from "../../support/http.ts";
import { startParley } from "../../support/parley.ts";
import { type Environment, launch } from "../../support/process.ts";
import { startRedis } from "../../support/redis.ts";

const PASSWORD = "store-password-0123456789";
const BASE = { OPENAI_URL: "http://127.0.0.1:9/v1", API_KEY: "sk-x", MINUTE_LIMIT: "5" };

async function redis(...args: readonly string[]) {
  const server = await startRedis({ args });
  onTestFinished(() => server.close());
  return server;
}

/** What the process would write about its settings, and end with 78. */
async function refusedStart(env: Environment): Promise<string> {
  const failure = await startParley({ ...BASE, ...env }).then(closeAfterFile, (error) => error);
  expect(failure).toBeInstanceOf(SettingMistake);
  const text = explainProblems((failure as SettingMistake).problems, undefined);
  expect(text).not.toContain(PASSWORD);
  const lines = text
    .trim()
    .split("\n")
    .filter((line) => line.includes("REDIS_"));
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

async function start(env: Environment) {
  const parley = await startParley({ ...BASE, ...env });
  onTestFinished(() => parley.close());
  const { status, json } = await postJson(`${parley.origin}/readyz`, undefined, { method: "GET" });
  return { log: parley.log.join(""), ready: { status, json } };
}

async function goesOn(env: Environment, cause: string): Promise<void> {
  const { log, ready } = await start(env);
  expect(log).toMatch(new RegExp(`limits_divided.*"cause":"${cause}"`));
  expect(ready).toMatchObject({ status: 200, json: { degraded: ["limits"] } });
}

const tls = ({ port }: { readonly port: number }) => `rediss://:${PASSWORD}@localhost:${port}`;

/** A store that speaks TLS on a port of its own. */
async function tlsRedis(certFile = certPath) {
  const port = await freePort();
  const files = [
    "--tls-cert-file",
    certFile,
    "--tls-key-file",
    keyPath,
    "--tls-auth-clients",
    "no",
  ];
  const server = await redis("--tls-port", String(port), ...files, "--requirepass", PASSWORD);
  return { port, plainPort: server.port };
}

describe("a start ends where the store", { tags: "redis" }, () => {
  test("refuses the password", async () => {
    const { port } = await redis("--requirepass", "another");
    const env = { ...BASE, REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${port}` };
    expect(await refusedStart(env)).toMatch(/REDIS_URL.*WRONGPASS/);
    const started = launch(env);
    onTestFinished(() => started.close());
    expect(await started.exit).toBe(78);
    expect(started.output.join(" ")).toMatch(/REDIS_URL.*WRONGPASS/);
    expect(started.output.join(" ")).not.toContain(PASSWORD);
  });

  test("wants a password, and refuses that of the older settings by their name", async () => {
    const { port } = await redis("--requirepass", "another");
    expect(await refusedStart({ REDIS_URL: `redis://127.0.0.1:${port}` })).toMatch(
      /REDIS_URL.*NOAUTH/,
    );
    const env = { REDIS_HOST: "127.0.0.1", REDIS_PORT: String(port), REDIS_PASSWORD: PASSWORD };
    expect(await refusedStart(env)).toMatch(/REDIS_HOST.*WRONGPASS/);
  });

  test("does not let its user do what is needed", async () => {
    const rules = `parley on >${PASSWORD} ${STORE_RIGHTS} -zadd -hset`.split(" ");
    const { port } = await redis("--user", ...rules);
    const line = await refusedStart({ REDIS_URL: `redis://parley:${PASSWORD}@127.0.0.1:${port}` });
    expect(line).toMatch(/REDIS_URL.*\+hset \+zadd/);
  });

  test("is an HTTP server", async () => {
    const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    expect(await refusedStart({ REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${port}` })).toContain(
      "REDIS_URL",
    );
  });

  test("has a certificate that nobody trusts", async () => {
    const line = await refusedStart({ REDIS_URL: tls(await tlsRedis()) });
    expect(line).toMatch(/REDIS_URL.*(self-signed|certificate)/);
  });

  test("has a certificate that has expired", async () => {
    const server = await tlsRedis(expiredCertPath);
    const line = await refusedStart({ REDIS_URL: tls(server), REDIS_CA_FILE: expiredCertPath });
    expect(line).toMatch(/REDIS_URL.*certificate has expired/);
  });

  test("has a certificate for another name", async () => {
    const server = await tlsRedis(elsewhereCertPath);
    const line = await refusedStart({ REDIS_URL: tls(server), REDIS_CA_FILE: elsewhereCertPath });
    expect(line).toMatch(/REDIS_URL.*altnames/);
  });

  test("speaks TLS, and the URL does not say so", async () => {
    const { port } = await tlsRedis();
    const line = await refusedStart({ REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${port}` });
    expect(line).toMatch(/REDIS_URL.*TLS/);
  });

  test("speaks no TLS, and the URL says so", async () => {
    const server = await redis("--requirepass", PASSWORD);
    const line = await refusedStart({ REDIS_URL: tls(server) });
    expect(line).toMatch(/REDIS_URL.*TLS/);
  });
});

describe("a start goes on where the store", { tags: "redis" }, () => {
  test("is not there", async () => {
    await goesOn({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` }, "lost");
  });

  test("hangs", async () => {
    const server = await redis();
    server.signal("SIGSTOP");
    await goesOn({ REDIS_URL: server.url }, "(slow|lost)");
  });

  test("is read-only", async () => {
    const server = await redis("--replicaof", "127.0.0.1", "1");
    await goesOn({ REDIS_URL: server.url }, "read-only");
  });

  test("is full", async () => {
    await goesOn({ REDIS_URL: (await redis("--maxmemory", "1")).url }, "full");
  });
});

describe("limits are shared over", { tags: "redis" }, () => {
  const shares = async (env: Environment) => {
    expect((await start(env)).ready).toMatchObject({ status: 200, json: { degraded: [] } });
  };

  test("TLS with the authority of the setting", async () => {
    await shares({ REDIS_URL: tls(await tlsRedis()), REDIS_CA_FILE: certPath });
  });

  test("a socket in the file system", async () => {
    const { socketPath } = await redis("--requirepass", PASSWORD);
    await shares({ REDIS_URL: `unix://${socketPath}?password=${PASSWORD}&db=2` });
  });

  test("the older settings", async () => {
    const { port } = await redis("--requirepass", PASSWORD);
    await shares({ REDIS_HOST: "127.0.0.1", REDIS_PORT: String(port), REDIS_PASSWORD: PASSWORD });
  });
});
