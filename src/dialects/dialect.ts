import type { Hono, MiddlewareHandler } from "hono";
import { ProxyError, toProxyError } from "../core/errors.ts";
import type { AppContext, AppEnv } from "./edge/facts.ts";

/** One path of a dialect. Health, docs and status routes are not counted by the limits. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly counted: boolean;
  /** Answers only to say no, so Allow does not name it. */
  readonly refuses?: true;
  handle(c: AppContext): Promise<Response> | Response;
}

/** The limits, as routes see them. */
export interface Gate {
  /** The middleware that counts a call and, when a limit is reached, answers with `writeError`. */
  count(writeError: WriteError): MiddlewareHandler<AppEnv>;
  /** Notes how the caller stands without counting: for the headers of all other answers. */
  peek(c: AppContext): void;
}

export type WriteError = (c: AppContext, error: ProxyError) => Response;

/** One wire contract: the routes it answers and the one way it says what went wrong. */
export interface Dialect {
  readonly name: string;
  readonly routes: readonly Route[];
  /** Unknown paths below it are this dialect's to answer. */
  readonly prefix?: string;
  readonly writeError: WriteError;
}

/**
 * Mounts a dialect's routes, the counted ones behind the limits. Every method a path does not have
 * is answered 405 with Allow, in the dialect's own form.
 */
export function mountDialect(app: Hono<AppEnv>, dialect: Dialect, gate: Gate): void {
  const { name, routes, writeError } = dialect;
  for (const route of routes) {
    const label = `${name} ${route.method} ${route.path}`;
    const enter: MiddlewareHandler<AppEnv> = function enter(c, next) {
      c.get("facts").route = label;
      if (!route.counted) gate.peek(c);
      return next();
    };
    const count = route.counted ? [gate.count(writeError)] : [];
    app.on([route.method], [route.path], enter, ...count, (c) => route.handle(c));
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes
      .filter((route) => route.path === path && route.refuses !== true)
      .map((route) => route.method);
    app.all(path, (c) => {
      c.get("facts").route = `${name} ${path}`;
      gate.peek(c);
      return writeError(c, methodNotAllowed(methods));
    });
  }
}

/** Once every dialect is mounted: what lies below a dialect's prefix and is nothing. */
export function mountPrefixes(app: Hono<AppEnv>, dialects: readonly Dialect[], gate: Gate): void {
  for (const { name, prefix, writeError } of dialects) {
    if (prefix === undefined) continue;
    app.all(`${prefix}/*`, (c) => {
      c.get("facts").route = `${name} ${prefix}/*`;
      gate.peek(c);
      return writeError(c, new ProxyError("not_found"));
    });
  }
}

function methodNotAllowed(methods: readonly string[]): ProxyError {
  const allow = methods.join(", ");
  return new ProxyError("method_not_allowed", { params: { methods: allow }, facts: { allow } });
}

/** Whatever escapes a handler is written by the dialect that owns the path. */
export function writeErrorsOf(
  dialects: readonly Dialect[],
  fallback: WriteError,
  report: (c: AppContext, error: ProxyError) => void,
): (thrown: unknown, c: AppContext) => Response {
  return (thrown, c) => {
    const error = toProxyError(thrown);
    if (error.code === "internal") report(c, error);
    const owner = dialects.find(({ name }) => c.get("facts").route.startsWith(`${name} `));
    return (owner?.writeError ?? fallback)(c, error);
  };
}
