/** Each fault of a real nginx is named with its mend, and nothing is said once it is mended. */
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { checkIds } from "../../src/doctor/check.ts";
import { checkSilence } from "../../src/doctor/checks/silence.ts";
import { below, callPublic } from "../../src/doctor/public-call.ts";
import { ADMIN_TOKEN, diagnose, GOOD, startDeployment } from "./support/doctor.ts";

/** In place of a line of the good configuration, in its first block. */
function changed(line: string, other: string): string {
  const found = GOOD.replace(line, other);
  if (found === GOOD) throw new Error(`${line} is not there`);
  return found;
}

const BUFFERED = "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;";
const GZIP = "gzip on; gzip_proxied any; gzip_types text/event-stream; gzip_min_length 1;";
const FORWARD = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
const LIMIT = "client_max_body_size 2m;";

interface Row {
  readonly what: string;
  readonly id: string;
  readonly location?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly seen: string;
  readonly mend: string;
}

const rows: readonly Row[] = [
  {
    what: "buffering",
    id: "stream",
    // with chunks of HTTP/1.1, nginx passes each on even if it buffers
    location: changed("proxy_buffering off;", BUFFERED).replace("_version 1.1;", "_version 1.0;"),
    seen: "20 pieces sent within",
    mend: "proxy_buffering off;",
  },
  {
    what: "compression that delays",
    id: "stream",
    location: changed("proxy_buffering off;", BUFFERED + GZIP),
    seen: "Compressed on the way",
    mend: "# without: gzip_types text/event-stream;",
  },
  {
    what: "a small body limit",
    id: "body",
    location: changed(LIMIT, "client_max_body_size 512k;"),
    seen: "The proxy refuses a body of 1048575 bytes",
    mend: LIMIT,
  },
  {
    what: "an error page in place of Parley's error",
    id: "body",
    location: changed(LIMIT, ""),
    seen: "gets an error that is not Parley's",
    mend: LIMIT,
  },
  {
    what: "reading on after the client has left",
    id: "hang-up",
    location: changed("proxy_buffering off;", "proxy_buffering off; proxy_ignore_client_abort on;"),
    seen: "did not notice",
    mend: "proxy_ignore_client_abort off;",
  },
  {
    what: "no upgrade headers",
    id: "websocket",
    location: GOOD.slice(0, GOOD.indexOf("location = /ask")),
    seen: "The handshake on /ask gets status",
    mend: "proxy_set_header Upgrade $http_upgrade;",
  },
  {
    what: "a proxy that is not trusted",
    id: "address",
    env: { TRUSTED_PROXIES: "" },
    seen: "not trusted",
    mend: ".env:\n  TRUSTED_PROXIES=127.0.0.1",
  },
  {
    what: "trust in everybody",
    id: "address",
    env: { TRUSTED_PROXIES: "0.0.0.0/0" },
    seen: "A forged address is trusted",
    mend: "TRUSTED_PROXIES=loopback, private",
  },
  {
    what: "a client's own X-Forwarded-For",
    id: "address",
    location: changed(FORWARD, "proxy_set_header X-Forwarded-For $http_x_forwarded_for;"),
    seen: "passes on a forged address",
    mend: FORWARD,
  },
  {
    what: "no X-Forwarded-For",
    id: "address",
    location: changed(FORWARD, 'proxy_set_header X-Forwarded-For "";'),
    seen: "does not send the client's address",
    mend: FORWARD,
  },
  {
    what: "metrics that look as if they were asked for from this machine",
    id: "safety",
    location: "location / { proxy_pass http://127.0.0.1:5000; }",
    seen: "/metrics is open",
    mend: "METRICS_TOKEN",
  },
  {
    what: "stripped response headers",
    id: "headers",
    location: changed("proxy_buffering off;", "proxy_hide_header retry-after;"),
    seen: "do not come back: retry-after.",
    mend: "proxy_hide_header",
  },
  {
    what: "stripped request headers",
    id: "headers",
    location: changed("proxy_buffering off;", 'proxy_set_header openai-token "";'),
    seen: "do not reach Parley: openai-token.",
    mend: "proxy_pass_request_headers on;",
  },
];

describe("behind nginx", { tags: "nginx" }, () => {
  test.each(rows)("$what: a fault of $id, with its mend", async (row) => {
    const { id, location, env, seen, mend } = row;
    const deployed = await startDeployment(location, env);
    const { code, check } = await diagnose(deployed, "--only", id);
    expect([code, check(id).status], check(id).seen).toEqual([1, "fault"]);
    expect(check(id).seen).toContain(seen);
    expect(check(id).means).not.toBe("");
    expect(check(id).mend.replaceAll(/^ +/gm, "  ")).toContain(mend.replaceAll(/\n +/g, "\n"));
  });

  test("set up as the documents say, nothing is wrong, which takes less than 30 s", async () => {
    const deployed = await startDeployment();
    const startedMs = performance.now();
    const { code, checks } = await diagnose(deployed);
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    expect(checks.map(({ id }) => id)).toEqual([...checkIds]);
    expect(checks.filter(({ status }) => ["fault", "warning"].includes(status))).toEqual([]);
    expect(code).toBe(0);
  });

  test.each([
    ["proxy_read_timeout 1s;", "fault"],
    ["proxy_read_timeout 900s;", "ok"],
  ])("%s: a silence of 3 s is %s", async (line, status) => {
    const deployed = await startDeployment(GOOD.replace("proxy_read_timeout 900s;", line));
    const url = new URL(deployed.url);
    const [finding] = await checkSilence({
      url,
      clock: systemClock,
      times: { silences: [3], limitMs: 10_000 },
      admin: { authorization: `Bearer ${ADMIN_TOKEN}` },
      ask: (path, options) => callPublic(below(url, path), options),
      arrival: null,
      isProxied: true,
      local: {} as never, // cast: this check reads no setting
    });
    expect(finding?.status).toBe(status);
  });

  test("a path that the proxy keeps is named, and holds up the other checks", async () => {
    const kept = "location /parley/ { proxy_pass http://127.0.0.1:5000; }";
    const { url, env } = await startDeployment(kept);
    const { check, checks } = await diagnose({ url: `${url}/parley`, env });
    expect(check("prefix")).toMatchObject({
      status: "fault",
      seen: expect.stringContaining("/parley"),
    });
    expect(check("prefix").mend).toContain("location /parley/ {");
    expect(checks.filter(({ status }) => status === "fault")).toHaveLength(1);
    const stripped = await startDeployment(
      "location /parley/ { proxy_pass http://127.0.0.1:5000/; }",
    );
    const mended = await diagnose(
      { ...stripped, url: `${stripped.url}/parley` },
      "--only",
      "prefix",
    );
    expect(mended.check("prefix").status).toBe("ok");
  });

  test("below a path, the lines for WebSocket mend it as they stand", async () => {
    const pages = "location /p/ { proxy_pass http://127.0.0.1:5000/; }";
    const checked = async (location: string) => {
      const deployed = await startDeployment(location);
      const { check } = await diagnose(
        { ...deployed, url: `${deployed.url}/p` },
        "--only",
        "websocket",
      );
      return check("websocket");
    };
    const { status, mend } = await checked(pages);
    expect(status).toBe("fault");
    const lines = mend.slice(mend.indexOf("location"));
    expect((await checked(`${pages}\n${lines}`)).status).toBe("ok");
  });

  test.each([
    ["location / { proxy_pass http://localhost:1; }", "responds with 502"],
    ['location / { return 200 "hello"; }', "A server other than Parley"],
  ])("%s is one fault", async (location, seen) => {
    const { checks } = await diagnose(await startDeployment(location));
    const faults = checks.filter(({ status }) => status === "fault");
    expect(faults.map(({ id }) => id)).toEqual(["prefix"]);
    expect(faults[0]?.seen).toContain(seen);
  });
});
