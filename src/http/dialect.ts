import type { Hono, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { type ErrorCode, ProxyError, toProxyError } from "../core/errors.ts";
import { type MaybePromise, whenReady } from "../core/maybe-promise.ts";
import type { AppContext, AppEnv } from "./call/request-context.ts";

/** What /openapi.json says of a route. English, like the protocol itself. */
export interface RouteDoc {
  readonly summary: string;
  /** What the summary has no room for. */
  readonly description?: string;
  /** The schema that the route validates its body with. */
  readonly body?: z.ZodType;
  /** What a good answer looks like. */
  readonly answer?: z.ZodType;
  /** Of the good answer, where it isn't application/json. */
  readonly answerType?: string | readonly string[];
  /** Of the good answer, where it isn't 200. */
  readonly status?: 101 | 201;
  /** Other statuses that come with the good answer's body, and what they mean. */
  readonly also?: Readonly<Record<number, string>>;
  /** `"stream": true` in the body has the answer sent as server-sent events of this shape. */
  readonly event?: z.ZodType;
  /**
   * `none`: asked by nobody's credential; `admin`: ADMIN_TOKEN; `metrics`: METRICS_TOKEN; else a key
   * or token, which `optional` leaves to the caller where visitors may ask.
   */
  readonly credential?: "none" | "optional" | "admin" | "metrics";
  /** Whether the upstream is asked; left out, it is where a caller's body is read. */
  readonly asks?: boolean;
  /** What can go wrong beside what comes with a body, a credential, the limits and the upstream. */
  readonly fails?: readonly ErrorCode[];
  /** Headers that the route reads beside the credential, with what they mean. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the parts of the path that are the caller's are, by their names. */
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
}

/** What /openapi.json says of a dialect's errors. */
export interface ErrorDoc {
  readonly status: Readonly<Record<ErrorCode, number>>;
  readonly schema: z.ZodType;
}

/** One path of a dialect. Health, docs and status routes are not counted by the limits. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly counted: boolean;
  /** Answers only to say no, so Allow does not name it. */
  readonly refuses?: true;
  /** Its other methods are paths that do not exist, rather than a 405. */
  readonly onlyMethod?: true;
  /** Missing where a route only refuses. */
  readonly doc?: RouteDoc;
  handle(c: AppContext): Promise<Response> | Response;
}

/** The limits, as routes see them. */
export interface Gate {
  /** The middleware that counts a call and, when a limit is reached, answers with `writeError`. */
  count(writeError: WriteError): MiddlewareHandler<AppEnv>;
  /** Notes how the caller stands without counting: for the headers of all other answers. */
  peek(c: AppContext): MaybePromise<void>;
}

export type WriteError = (c: AppContext, error: ProxyError) => Response;

/** One wire contract: the routes it answers and the one way it says what went wrong. */
export interface Dialect {
  readonly name: string;
  readonly routes: readonly Route[];
  /** Unknown paths below it are this dialect's to answer. */
  readonly prefix?: string;
  readonly writeError: WriteError;
  /** What it is for, in /openapi.json. */
  readonly about?: string;
  /** Left out where errors have the form that unknown paths answer with. */
  readonly errors?: ErrorDoc;
}

/**
 * Mounts the dialects in their order: each one's routes, the counted ones behind the limits, then
 * what its paths answer to other methods (405 with Allow), then what lies below its prefix and is
 * nothing. Paths that hold a client's own name come last, or they would take those of others.
 */
export function mountDialects(app: Hono<AppEnv>, dialects: readonly Dialect[], gate: Gate): void {
  for (const dialect of dialects) {
    mountRoutes(app, dialect, gate);
    mountMethods(app, dialect, dialects, gate);
    mountPrefix(app, dialect, gate);
  }
}

function mountRoutes(app: Hono<AppEnv>, dialect: Dialect, gate: Gate): void {
  const { name, routes, writeError } = dialect;
  for (const route of routes) {
    const label = `${name} ${route.method} ${route.path}`;
    const answer = route.counted ? counted(route, gate.count(writeError)) : uncounted(route, gate);
    app.on([route.method], [route.path], (c) => {
      c.env.context.route = label;
      return answer(c);
    });
  }
}

/** One handler instead of a chain of them, which would cost two more layers of promises a call. */
function counted(route: Route, count: MiddlewareHandler<AppEnv>) {
  return async function countedRoute(c: AppContext): Promise<Response> {
    let answered: Response | null = null;
    const refused = await count(c, async () => {
      answered = await route.handle(c);
    });
    return answered ?? (refused as Response); // the limits answer where they do not go on
  };
}

function uncounted(route: Route, gate: Gate) {
  return function uncountedRoute(c: AppContext) {
    return whenReady(gate.peek(c), () => route.handle(c));
  };
}

function mountMethods(
  app: Hono<AppEnv>,
  { name, routes, writeError }: Dialect,
  all: readonly Dialect[],
  gate: Gate,
): void {
  const own = routes.filter((route) => route.onlyMethod !== true);
  for (const path of new Set(own.map((route) => route.path))) {
    const methods = all
      .flatMap((dialect) => dialect.routes)
      .filter((route) => route.path === path && route.refuses !== true)
      .map((route) => route.method);
    app.all(path, (c) => {
      c.env.context.route = `${name} ${path}`;
      return whenReady(gate.peek(c), () => writeError(c, methodNotAllowed(methods)));
    });
  }
}

function mountPrefix(app: Hono<AppEnv>, { name, prefix, writeError }: Dialect, gate: Gate): void {
  if (prefix === undefined) return;
  app.all(`${prefix}/*`, (c) => {
    c.env.context.route = `${name} ${prefix}/*`;
    return whenReady(gate.peek(c), () => writeError(c, new ProxyError("not_found")));
  });
}

export function methodNotAllowed(methods: readonly string[]): ProxyError {
  const allow = methods.join(", ");
  return new ProxyError("method_not_allowed", { params: { methods: allow }, details: { allow } });
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
    const owner = dialects.find(({ name }) => c.env.context.route.startsWith(`${name} `));
    return (owner?.writeError ?? fallback)(c, error);
  };
}
