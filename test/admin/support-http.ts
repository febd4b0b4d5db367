/** A server with /admin, and how its operator sends requests there. */
import { onTestFinished } from "vitest";
import { postJson, type Reply } from "../support/http.ts";
import { startParley } from "../support/parley.ts";
import type { Env } from "./support.ts";

export const ADMIN_TOKEN = "admin-token-0123456789";

export type Send = (method: string, path: string, body?: unknown, headers?: Env) => Promise<Reply>;

export async function startAdmin(env: Env) {
  const parley = await startParley({ ADMIN_TOKEN, LOG_LEVEL: "silent", ...env });
  onTestFinished(() => parley.close());
  const send: Send = (method, path, body, headers = {}) =>
    postJson(`${parley.origin}/admin${path}`, body, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
    });
  return { ...parley, send };
}
