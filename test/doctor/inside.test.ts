/** What a server sees of itself, for the operator's page. */
import { describe, expect, test } from "vitest";
import { settingsFor } from "../admin/support.ts";
import { kinds } from "../storage/support/databases.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { startParley } from "../support/parley.ts";
import { until } from "../support/process.ts";
import { ADMIN_TOKEN, startServer } from "./support/doctor.ts";

interface Check {
  readonly id: string;
  readonly status: string;
  readonly name: string;
  readonly seen: string;
  readonly means: string;
  readonly mend: string;
}

async function checksOf(origin: string, language = "en"): Promise<Record<string, Check>> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "accept-language": language };
  const url = `${origin}/admin/doctor/checks`;
  const { json } = await postJson(url, undefined, { method: "GET", headers });
  const { checks } = json as { checks: Check[] };
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

const LOUD = { API_KEY: "sk-0123456789", DAY_LIMIT: "0", ACCESS_TOKEN: "secret123" };

describe.each(kinds)("on %s", (kind) => {
  test("all is well, and says so", async () => {
    const { url } = await startServer(await settingsFor(kind));
    const { storage, copies, safety } = await checksOf(url);
    expect(storage).toMatchObject({ status: "ok", seen: `It takes writes (${kind}).`, mend: "" });
    expect(copies).toMatchObject({ status: "ok", name: "instances", seen: "Seen: 1, alive: 1." });
    expect(safety).toMatchObject({ status: "ok", means: "" });
  });

  test("copies that differ are seen from each of them", async () => {
    const server = await startServer({ ...(await settingsFor(kind)), MODEL: "gpt-4o-mini" });
    const other = closeAfterFile(await startParley({ ...server.env, MODEL: "gpt-4o" }));
    const said = [
      "Different settings on instances: 2.",
      "2 instances count limits each by itself.",
    ];
    for (const origin of [server.url, other.origin]) {
      const seen = async () => (await checksOf(origin)).copies?.seen ?? "";
      // they tell with their heartbeats
      await until(async () => (await seen()) === said.join(" "), {
        label: said.join(" "),
        timeoutMs: 12_000,
      });
      const { copies } = await checksOf(origin);
      expect(copies).toMatchObject({ status: "fault" });
      expect(copies?.mend).toContain("REDIS_URL=");
    }
  });
});

test("what is open or can be guessed is named, in the language of the request", async () => {
  const { url } = await startServer(LOUD);
  const { safety } = await checksOf(url, "ru");
  expect(safety?.status).toBe("warning");
  expect(safety?.seen).toContain("ACCESS_TOKEN");
  expect(safety?.mend).toContain("DAY_LIMIT=100");
  expect(`${safety?.name}${safety?.means}`).toMatch(/[а-я]/);
});
