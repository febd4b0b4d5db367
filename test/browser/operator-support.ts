/** The operator's page, signed in, over a ledger of any size. */
import { DatabaseSync } from "node:sqlite";
import type { BrowserContextOptions } from "playwright-core";
import { ADMIN_ENV } from "../dialects/openai/support.ts";
import { type OpenPage, openPage } from "../support/browser.ts";
import { postJson } from "../support/http.ts";

export const { ADMIN_TOKEN } = ADMIN_ENV;

/** Opens the page at a place such as `#/calls`, as whoever has signed in. */
export async function openOperator(
  origin: string,
  place = "",
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const reply = await postJson(`${origin}/admin/session`, { token: ADMIN_TOKEN });
  const [set = ""] = reply.headers["set-cookie"] ?? [];
  const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
  const cookie = { name, value, domain: new URL(origin).hostname, path: "/", expires: -1 };
  const rest = { httpOnly: true, secure: false, sameSite: "Strict" } as const;
  const storageState = { cookies: [{ ...cookie, ...rest }], origins: [] };
  const opened = await openPage(`${origin}/admin${place}`, { ...options, storageState });
  await opened.page.locator("nav.side").waitFor();
  return opened;
}

/** Repeats the newest call that the ledger has, so many times over so many days. */
export function repeatCalls(folder: string, times: number, days: number): void {
  const file = new DatabaseSync(`${folder}/parley.sqlite`);
  try {
    const columns = file
      .prepare("SELECT name FROM pragma_table_info('ledger')")
      .all()
      .map(({ name }) => String(name));
    const values: Readonly<Record<string, string>> = {
      id: "id || '-' || n",
      at: `at - CAST(n * ${days} * 86400000.0 / ${times} AS INTEGER)`,
      request_id: "request_id || '-' || n",
      outcome: "CASE n % 17 WHEN 3 THEN 'failed' WHEN 5 THEN 'canceled' ELSE outcome END",
      error: "CASE n % 17 WHEN 3 THEN 'upstream_unreachable' ELSE error END",
      model: "CASE n % 3 WHEN 1 THEN 'gpt-4o' ELSE model END",
      first_token_ms: "200 + (n * 7919) % 900",
      duration_ms: "900 + (n * 104729) % 4000",
    };
    const selected = columns.map((name) => values[name] ?? name).join(", ");
    file.exec(`
      WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${times}),
      newest AS (SELECT * FROM ledger ORDER BY id DESC LIMIT 1)
      INSERT INTO ledger (${columns.join(", ")}) SELECT ${selected} FROM newest, numbers`);
  } finally {
    file.close();
  }
}
