import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import { ProxyError } from "../core/errors.ts";
import { whenReady } from "../core/maybe-promise.ts";
import type { CallStarter } from "./call/begin-call.ts";
import type { AppContext, AppEnv, NodeHttp } from "./call/request-context.ts";
import {
  type Dialect,
  type Gate,
  mountDialects,
  type WriteError,
  writeErrorsOf,
} from "./dialect.ts";
import { responseHeaders } from "./reply/response-headers.ts";
import { createRouter } from "./router.ts";

export interface AppOptions {
  readonly dialects: readonly Dialect[];
  readonly calls: CallStarter;
  readonly gate: Gate;
  /** Answers the paths that no dialect owns. */
  readonly writeUnknown: WriteError;
  /** Called with unexpected errors. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

/** Handles one request, in the form node-server calls it. */
export type Fetch = (request: Request, http: NodeHttp) => Promise<Response> | Response;

/** All HTTP dialects on one router. */
export function createApp(options: AppOptions): Fetch {
  const { dialects, calls, gate, writeUnknown, report } = options;
  const app = new Hono<AppEnv>({ router: createRouter(), getPath: createPathReader(dialects) });
  const closed = dialects.flatMap(({ prefix, crossOrigin }) =>
    crossOrigin === false && prefix !== undefined ? [prefix] : [],
  );
  app.options("*", (c) => {
    const { path } = c.req;
    const isClosed = closed.some((prefix) => `${path}/`.startsWith(`${prefix}/`));
    c.env.context.crossOrigin = !isClosed;
    return whenReady(gate.peek(c), () => respondPreflight(c));
  });
  mountDialects(app, dialects, gate);
  app.notFound((c) => {
    return whenReady(gate.peek(c), () => writeUnknown(c, new ProxyError("not_found")));
  });
  app.onError(
    writeErrorsOf(dialects, writeUnknown, (c, error) => report(c.env.context.requestId, error)),
  );
  // not a middleware: with one handler per request, Hono composes nothing (3 µs a call)
  return (request, { incoming, outgoing }) => {
    const context = calls.beginHttp({ incoming, outgoing });
    const asked = incoming.method === "HEAD" ? asGet(request) : request;
    return app.fetch(asked, { incoming, outgoing, context });
  };
}

/** Other spellings of a path are put right before the router: for all that follows there is one. */
function createPathReader(dialects: readonly Dialect[]): (request: Request) => string {
  const readers = dialects.flatMap(({ canonicalPath }) => canonicalPath ?? []);
  return (request) =>
    readers.reduce((path, canonicalPath) => canonicalPath(path), getPath(request));
}

/**
 * HEAD is GET whose body Node leaves out. Hono would answer it with a copy of the response, in which
 * the mark that it was already written is lost.
 */
function asGet(request: Request): Request {
  return Object.create(request, { method: { value: "GET" } });
}

const PREFLIGHT_METHODS = "GET, POST, PUT, DELETE, OPTIONS";
const ONE_DAY_SECONDS = "86400";

/**
 * Lets pages of every origin call. `*` covers all headers except Authorization, which has to be
 * named. The only cookie is the operator's, which /admin alone reads: a page can't act with somebody's login.
 */
function respondPreflight(c: AppContext): Response {
  c.env.context.route = "preflight";
  const { "content-type": _none, ...headers } = responseHeaders(c.env.context, "");
  const allow = { ...headers, allow: PREFLIGHT_METHODS };
  if (!c.env.context.crossOrigin) return c.body(null, 204, allow);
  return c.body(null, 204, {
    ...allow,
    "access-control-allow-methods": PREFLIGHT_METHODS,
    "access-control-allow-headers": "authorization, *",
    "access-control-max-age": ONE_DAY_SECONDS,
  });
}
