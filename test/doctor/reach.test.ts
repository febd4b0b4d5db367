/** Names, TLS, other ports and several copies, as they look from outside. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { parley, settingsFor } from "../admin/support.ts";
import { kinds } from "../storage/support/databases.ts";
import { certPath, elsewhereCertPath, expiredCertPath, keyPath } from "../support/certificate.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { startNginx } from "../support/nginx.ts";
import { startParley } from "../support/parley.ts";
import { ADMIN_TOKEN, diagnose, GOOD, startServer } from "./support/doctor.ts";

/** HTTPS in front of a server on this machine; the port. */
async function startTls(certificate: string, target: number): Promise<number> {
  const files = { cert: readFileSync(certificate), key: readFileSync(keyPath) };
  const server = createServer(files, (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const sent = request({ host: "127.0.0.1", port: target, method, path, headers, agent: false });
    sent.on("response", (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    sent.on("error", () => outgoing.destroy());
    incoming.pipe(sent);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closeAfterFile({
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  });
  return (server.address() as AddressInfo).port; // a TCP server's address is never text
}

describe("over TLS", () => {
  test.each([
    ["expired", expiredCertPath],
    ["of another name", elsewhereCertPath],
  ])("a certificate that is %s is the one fault, and no token is sent", async (_what, path) => {
    const server = await startServer();
    const url = `https://localhost:${await startTls(path, server.parley.port)}`;
    const ran = await parley({ ...server.env, NODE_EXTRA_CA_CERTS: path }, [
      ...["doctor", "--json", "--url", url],
    ]);
    const { checks } = ran.json<{ checks: { id: string; status: string; seen: string }[] }>();
    expect(ran.code).toBe(1);
    const faults = checks.filter(({ status }) => status === "fault");
    expect(faults).toMatchObject([{ id: "name", seen: expect.stringContaining("certificate") }]);
  });

  test("a certificate of the operator's own authority is good", async () => {
    const server = await startServer();
    const url = `https://localhost:${await startTls(certPath, server.parley.port)}`;
    const ran = await parley({ ...server.env, NODE_EXTRA_CA_CERTS: certPath }, [
      ...["doctor", "--json", "--url", url, "--only", "name,prefix,stream"],
    ]);
    const { checks } = ran.json<{ checks: { id: string; status: string }[] }>();
    expect(checks.map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
  });
});

test("a name without an address is one fault", async () => {
  const { checks } = await diagnose({ url: "https://nowhere.invalid", env: {} });
  const faults = checks.filter(({ status }) => status === "fault");
  expect(faults).toMatchObject([{ id: "name", seen: "The name nowhere.invalid has no address." }]);
});

test("the ports for gRPC and older WebSocket clients are asked", async () => {
  const server = await startServer({ GRPC_PORT: "9000", WS_PORT: "9001" });
  const { grpc, websocket } = server.parley.ports;
  const env = { ...server.env, GRPC_PORT: String(grpc), WS_PORT: String(websocket) };
  const good = await diagnose({ ...server, env }, "--only", "grpc,websocket");
  expect(good.checks.map(({ status, seen }) => [status, seen])).toMatchObject([
    ["ok", expect.anything()],
    ["ok", expect.anything()],
  ]);
  const swapped = { ...env, GRPC_PORT: "1", WS_PORT: "2" };
  const bad = await diagnose({ ...server, env: swapped }, "--only", "grpc,websocket");
  expect(bad.checks.map(({ status }) => status)).toEqual(["warning", "warning"]);
});

describe("several copies", { tags: "nginx" }, () => {
  test.each([
    [{ MODEL: "gpt-4o" }, "fault"],
    [{ TRUSTED_PROXIES: "loopback, private" }, "fault"],
    [{ MODEL: "gpt-4o-mini", LOG_LEVEL: "warn" }, "ok"],
  ])("the second with %j: %s", async (other, status) => {
    const server = await startServer({ MODEL: "gpt-4o-mini" });
    const { parley: first } = server;
    const second = closeAfterFile(await startParley({ ...server.env, ...other }));
    const { origin: url } = closeAfterFile(await startNginx(GOOD, [first.port, second.port]));
    const { check } = await diagnose({ ...server, url }, "--only", "copies");
    expect(check("copies").seen.includes("Different settings")).toBe(status === "fault");
    if (status === "ok") expect(check("copies").seen).toMatch(/Seen: 2|2 instances count/);
  });
});

test.each(kinds)("the database is written to on %s", async (kind) => {
  const server = await startServer(await settingsFor(kind));
  const { check } = await diagnose(server, "--only", "storage");
  expect(check("storage")).toMatchObject({ status: "ok", seen: `It takes writes (${kind}).` });
});

test("where there is no database, that check is left out", async () => {
  const { url } = await startServer();
  const env = { ...(await settingsFor("sqlite")), ADMIN_TOKEN };
  const { check } = await diagnose({ url, env }, "--only", "storage");
  expect(check("storage").status).toBe("skipped");
});
