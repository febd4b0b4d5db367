import type { IncomingMessage } from "node:http";
import { ProxyError } from "../core/errors.ts";
import { readJson } from "../http/body/body.ts";
import type { OperatorAccess, SignedIn } from "../http/call/operator-access.ts";
import { type OperatorSessions, SESSION_MS } from "../http/call/operator-sessions.ts";
import type { AppContext } from "../http/call/request-context.ts";
import { isFromOurPage, isOverHttps, namesItsPage } from "../http/call/same-origin.ts";
import { respondJson, sendWhole } from "../http/reply/json-response.ts";
import { responseHeaders } from "../http/reply/response-headers.ts";
import { parseFields } from "./fields.ts";
import { type sessionDocs, sessionSchemas } from "./session-docs.ts";

export interface SessionRouteOptions {
  readonly operator: OperatorAccess;
  readonly sessions: OperatorSessions;
  readonly maxBodyBytes: number;
}

type Handlers = Readonly<Record<keyof typeof sessionDocs, (c: AppContext) => Promise<Response>>>;

/** Anybody may send these bodies. */
const MAX_SIGN_IN_BYTES = 8_192;

export function sessionHandlers(options: SessionRouteOptions): Handlers {
  const { operator, sessions } = options;
  const maxBytes = Math.min(options.maxBodyBytes, MAX_SIGN_IN_BYTES);
  const bucketOf = (c: AppContext) => c.env.context.client.bucket;
  const respondSignedIn = (c: AppContext, { value, expiresMs }: SignedIn) => {
    const cookie = sessions.cookie(value, SESSION_MS, isOverHttps(c.env.incoming.headers));
    return respondWith(c, cookie, { signed_in: true, expires_at: timeText(expiresMs) });
  };
  return {
    "GET /session": async (c) => {
      const { expiresMs, needsSetup } = await operator.state(c.env.incoming.headers);
      return respondJson(c, 200, {
        signed_in: expiresMs !== null,
        expires_at: expiresMs === null ? null : timeText(expiresMs),
        setup: needsSetup,
      });
    },
    "POST /session": async (c) => {
      refuseOtherPages(c.env.incoming);
      const given = await readJson(c.env.incoming, maxBytes);
      const { token } = parseFields(sessionSchemas.signIn, given);
      return respondSignedIn(c, await operator.signIn(token, bucketOf(c)));
    },
    "DELETE /session": async (c) => {
      const { incoming } = c.env;
      if (sessions.hasCookie(incoming.headers) && !isFromOurPage(incoming)) throw otherPage();
      refuseOtherPages(incoming);
      const cookie = sessions.cookie("", 0, isOverHttps(incoming.headers));
      return respondWith(c, cookie, { signed_in: false });
    },
    "POST /setup": async (c) => {
      refuseOtherPages(c.env.incoming);
      const given = await readJson(c.env.incoming, maxBytes);
      const { code, token } = parseFields(sessionSchemas.setup, given);
      return respondSignedIn(c, await operator.choose(code, token, bucketOf(c)));
    },
  };
}

/** Programs name no page. */
function refuseOtherPages(incoming: IncomingMessage): void {
  if (namesItsPage(incoming.headers) && !isFromOurPage(incoming)) throw otherPage();
}

function otherPage(): ProxyError {
  return new ProxyError("admin_origin_forbidden");
}

function respondWith(c: AppContext, cookie: string, value: unknown): Response {
  const { outgoing, context } = c.env;
  const headers = responseHeaders(context, "application/json; charset=utf-8");
  return sendWhole(outgoing, 200, { ...headers, "set-cookie": cookie }, JSON.stringify(value));
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
