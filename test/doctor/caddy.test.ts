/** Each fault of a real Caddy is named with its mend, and nothing is said once it is mended. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { startCaddy } from "../support/caddy.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { diagnose, startServer } from "./support/doctor.ts";

const page = new URL("../../docs/en/reverse-proxy.md", import.meta.url);
/** As the documents say. */
const [, GOOD = ""] =
  /api\.example\.com \{\n([\s\S]*?)\n\}\n```/.exec(readFileSync(page, "utf8")) ?? [];

async function startBehind(site: string, env: Readonly<Record<string, string>> = {}) {
  const server = await startServer(env);
  const { origin } = closeAfterFile(await startCaddy(site, server.parley.port));
  return { ...server, url: origin };
}

/** The proxy's block with further lines in it. */
function proxy(...lines: readonly string[]): string {
  return `reverse_proxy 127.0.0.1:5000 {\n${lines.join("\n")}\n}`;
}

const rows: readonly {
  readonly what: string;
  readonly id: string;
  readonly site?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly seen: string;
  readonly mend: string;
}[] = [
  {
    what: "a small body limit",
    id: "body",
    site: `request_body {\n max_size 512KB\n }\n${GOOD}`,
    seen: "1048575 bytes",
    mend: "max_size 2MB",
  },
  {
    what: "reading on after the client has left",
    id: "hang-up",
    site: proxy("flush_interval -1"),
    seen: "did not notice",
    mend: "# without: flush_interval -1",
  },
  {
    what: "no upgrade headers",
    id: "websocket",
    site: proxy("header_up -Upgrade"),
    seen: "The handshake on /ask gets status",
    mend: "# without: header_up -Upgrade",
  },
  {
    what: "a proxy that is not trusted",
    id: "address",
    env: { TRUSTED_PROXIES: "" },
    seen: "not trusted",
    mend: "TRUSTED_PROXIES=127.0.0.1",
  },
  {
    what: "a client's own X-Forwarded-For",
    id: "address",
    site: proxy("header_up X-Forwarded-For {http.request.header.X-Forwarded-For}"),
    seen: "passes on a forged address",
    mend: "# without: header_up X-Forwarded-For",
  },
  {
    what: "no X-Forwarded-For",
    id: "address",
    site: proxy("header_up -X-Forwarded-For"),
    seen: "does not send the client's address",
    mend: "# without: header_up X-Forwarded-For",
  },
  {
    what: "stripped response headers",
    id: "headers",
    site: proxy("header_down -Retry-After"),
    seen: "do not come back: retry-after.",
    mend: "header_down",
  },
  {
    what: "stripped request headers",
    id: "headers",
    site: proxy("header_up -Openai-Token"),
    seen: "do not reach Parley: openai-token.",
    mend: "header_up",
  },
];

describe("behind Caddy", { tags: "caddy", concurrent: true }, () => {
  test.each(rows)("$what: a fault of $id, with its mend", async ({ id, site, env, seen, mend }) => {
    const deployed = await startBehind(site ?? GOOD, env);
    const { code, check } = await diagnose(deployed, "--only", id);
    expect([code, check(id).status], check(id).seen).toEqual([1, "fault"]);
    expect(check(id).seen).toContain(seen);
    expect(check(id).mend).toContain(mend);
  });

  test("a silence that it cuts off is named, with the time it took", async () => {
    const deployed = await startBehind(proxy("transport http {\n read_timeout 5s\n }"));
    const { check } = await diagnose(deployed, "--only", "silence");
    expect(check("silence")).toMatchObject({
      status: "fault",
      seen: expect.stringContaining("A silence of 15 s was cut off after 5 s."),
      mend: expect.stringContaining("read_timeout 15m"),
    });
  });

  test("a path that the proxy keeps is the one fault, and its mend works", async () => {
    const kept = await startBehind("handle /parley/* {\n reverse_proxy 127.0.0.1:5000\n }");
    const bad = await diagnose({ ...kept, url: `${kept.url}/parley` });
    expect(bad.checks.filter(({ status }) => status === "fault").map(({ id }) => id)).toEqual([
      "prefix",
    ]);
    expect(bad.check("prefix").mend).toContain("handle_path /parley/* {");
    const [, mend = ""] = /caddy:\n([\s\S]*)$/.exec(bad.check("prefix").mend) ?? [];
    const mended = await startBehind(mend);
    const good = await diagnose(
      { ...mended, url: `${mended.url}/parley` },
      ...["--only", "prefix,stream,body"],
    );
    expect(good.checks.map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
  });

  test.each([
    ["as the documents say", GOOD],
    ["with its own compression", `encode\n${GOOD}`],
    ["without any option", "reverse_proxy 127.0.0.1:5000"],
  ])("%s, nothing is wrong, which takes less than 30 s", async (_what, site) => {
    const deployed = await startBehind(site);
    const startedMs = performance.now();
    const { code, checks } = await diagnose(deployed);
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    expect(checks.filter(({ status }) => ["fault", "warning"].includes(status))).toEqual([]);
    expect(code).toBe(0);
  });
});
