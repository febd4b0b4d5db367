/** Signing in through a proxy that strips a prefix, to processes that come and go. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { startBalancer, startCopies } from "../support/copies.ts";
import { postJson } from "../support/http.ts";
import { startNginx } from "../support/nginx.ts";
import { startParley } from "../support/parley.ts";
import { startProcess } from "../support/process.ts";
import { openBrowser } from "./session-support.ts";

const ADMIN_TOKEN = "admin-token-0123456789";

/** As a page of a plain http address says: such a page gets no Sec-Fetch-Site. */
const plainPage = (origin: string, host = new URL(origin).host) => ({
  headers: { "sec-fetch-site": [], origin: `http://${host}` },
});

describe("behind nginx", { tags: "nginx" }, () => {
  test("a prefix that it strips changes nothing, also beside another Parley", async () => {
    const servers = [await startParley({ ADMIN_TOKEN }), await startParley({ ADMIN_TOKEN })];
    for (const server of servers) closeAfterFile(server);
    const names = ["one", "two"];
    const location = names
      .map(
        (name) => `location /${name}/ {
          proxy_pass http://${name}/;
          proxy_set_header Host $http_host;
        }`,
      )
      .join("\n");
    const ports = servers.map(({ port }) => port);
    const upstream = names
      .map((name, at) => `upstream ${name} { server 127.0.0.1:${ports[at]}; }`)
      .join("\n");
    const { origin } = closeAfterFile(await startNginx(location, ports, upstream));
    const [one, two] = [openBrowser(`${origin}/one`), openBrowser(`${origin}/two`)];
    const page = plainPage(origin);
    const body = { token: ADMIN_TOKEN };
    for (const browser of [one, two]) {
      expect((await browser.send("POST", "/session", body, page)).status).toBe(200);
    }
    // the browser sends both to both
    const both = { cookie: `${one.cookies()}; ${two.cookies()}`, ...page.headers };
    for (const path of ["/one", "/two"]) {
      const browser = openBrowser(origin + path);
      const made = await browser.send("POST", "/tokens", { name: "x" }, { headers: both });
      expect(made.status).toBe(201);
      const foreign = { ...both, origin: "http://evil.example" };
      const refused = await browser.send("POST", "/tokens", { name: "y" }, { headers: foreign });
      expect(refused.status).toBe(403);
    }
  });

  test("two copies take one session, in turns", async () => {
    const copies = await startCopies({ count: 2, env: { ADMIN_TOKEN } });
    const browser = openBrowser(await startBalancer(copies));
    expect((await browser.signIn(ADMIN_TOKEN)).status).toBe(200);
    for (let time = 0; time < 4; time += 1) {
      expect((await browser.send("GET", "/tokens")).status).toBe(200);
    }
  });
});

test("a process logs the link while there is no token, and none after that", async () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-setup-"));
  closeAfterFile({ close: () => rmSync(folder, { recursive: true, force: true }) });
  const env = { DATA_DIR: folder };
  const first = await startProcess(env);
  const line = await first.waitForLog(/operator_setup/);
  expect(JSON.parse(line)).toMatchObject({ level: 40, warning: "operator_setup" });
  const [, code] = /127\.0\.0\.1:\d+\/admin#setup=([\w-]+)/.exec(line) ?? [];
  const token = "chosen-token-0123456789";
  const browser = openBrowser(first.url);
  expect((await browser.send("POST", "/setup", { code, token })).status).toBe(200);
  first.signal("SIGTERM");
  expect(await first.exit).toBe(0);
  expect(first.output.join("").split(String(code))).toHaveLength(2);
  const second = closeAfterFile(await startProcess(env));
  const headers = { cookie: browser.cookies() };
  const get = { method: "GET", headers };
  expect((await postJson(`${second.url}/admin/tokens`, undefined, get)).status).toBe(200);
  second.signal("SIGTERM");
  expect(await second.exit).toBe(0);
  expect(second.output.join("")).not.toContain("operator_setup");
});
