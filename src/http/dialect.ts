import type { Hono, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { type ErrorCode, ProxyError, toProxyError } from "../core/errors.ts";
import { type MaybePromise, whenReady } from "../core/maybe-promise.ts";
import type { AppContext, AppEnv } from "./call/request-context.ts";

/** What /openapi.json says about a route, in English. */
export interface RouteDoc {
  readonly summary: string;
  /** Details that do not fit the summary. */
  readonly description?: string;
  /** The schema that the route validates its body with. */
  readonly body?: z.ZodType;
  /** A body that succeeds as it stands, save for YOUR_KEY; every route with a body has one. */
  readonly example?: unknown;
  /** The fields of a multipart/form-data body; what has the format `binary` is a file. */
  readonly form?: z.ZodObject;
  /** Schema of a successful response. */
  readonly answer?: z.ZodType;
  /** What `answer` looks like. */
  readonly answerExample?: unknown;
  /** Media type of a successful response, if not application/json. */
  readonly answerType?: string | readonly string[];
  /** Status of a successful response, if not 200. */
  readonly status?: 101 | 201 | 308;
  /** Other statuses with the same body, and what they mean. */
  readonly also?: Readonly<Record<number, string>>;
  /** Schema of the server-sent events that `"stream": true` in the body asks for. */
  readonly event?: z.ZodType;
  /**
   * `none`: no credential is read. `admin`: the operator's token. `metrics`: METRICS_TOKEN. `optional`: a key
   * or token, or none if visitors are allowed. Left out: a key or token.
   */
  readonly credential?: "none" | "optional" | "admin" | "metrics";
  /** Whether the route calls the upstream. Left out: it does if it reads a caller's body. */
  readonly asks?: boolean;
  /** Errors besides those of the body, the credential, the limits and the upstream. */
  readonly fails?: readonly ErrorCode[];
  /** Headers that the route reads besides the credential, and what they mean. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Schemas of the path parameters, by name. */
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
}

/** What /openapi.json says about a dialect's errors. */
export interface ErrorDoc {
  readonly status: Readonly<Record<ErrorCode, number>>;
  readonly schema: z.ZodType;
}

/** One method and path of a dialect. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** Whether the limits count its calls: not those of health, docs and status. */
  readonly counted: boolean;
  /** Always answers with an error, so Allow does not name it. */
  readonly refuses?: true;
  /** Other methods on its path get a 404 instead of a 405. */
  readonly onlyMethod?: true;
  /** Left out if the route only refuses. */
  readonly doc?: RouteDoc;
  handle(c: AppContext): Promise<Response> | Response;
}

/** The limits, as routes see them. */
export interface Gate {
  /** Middleware that counts a call, or responds with `writeError` if a limit is reached. */
  count(writeError: WriteError): MiddlewareHandler<AppEnv>;
  /** Notes the state of the limits without counting, for the headers of the response. */
  peek(c: AppContext): MaybePromise<void>;
}

export type WriteError = (c: AppContext, error: ProxyError) => Response;

/** One wire contract: its routes and the one form of its errors. */
export interface Dialect {
  readonly name: string;
  readonly routes: readonly Route[];
  /** The dialect answers all unknown paths below this one. */
  readonly prefix?: string;
  /** The path that a client of the dialect means, if it has another spelling; else the path given. */
  readonly canonicalPath?: (path: string) => string;
  /** First segments of unknown paths below the prefix that the log names; others are `*`. */
  readonly knownSegments?: ReadonlySet<string>;
  /** False: no page of another origin may call it or read its responses. */
  readonly crossOrigin?: false;
  readonly writeError: WriteError;
  /** Description in /openapi.json. */
  readonly about?: string;
  /** Left out if errors have the same form as those of unknown paths. */
  readonly errors?: ErrorDoc;
}

/**
 * Mounts the dialects in order. For each: its routes (counted ones behind the limits), a 405 with
 * Allow for the other methods of its paths, a 404 for unknown paths below its prefix. Dialects whose
 * paths start with a parameter come last: they would match the paths of others.
 */
export function mountDialects(app: Hono<AppEnv>, dialects: readonly Dialect[], gate: Gate): void {
  const all = dialects.flatMap((dialect) => dialect.routes);
  for (const dialect of dialects) {
    mountRoutes(app, dialect, gate);
    const own = dialect.routes.filter((route) => route.onlyMethod !== true);
    for (const path of new Set(own.map((route) => route.path))) {
      const here = all.filter((route) => route.path === path && route.refuses !== true);
      const methods = here.map((route) => route.method);
      mountRefusal(app, dialect, path, gate, () => methodNotAllowed(methods));
    }
    mountUnknown(app, dialect, gate);
  }
}

/** Of a parameter, which may have one in the router's spelling. */
const PATTERN = /\{[^{}]*\}/g;

function mountRoutes(app: Hono<AppEnv>, dialect: Dialect, gate: Gate): void {
  const { name, routes, writeError, crossOrigin } = dialect;
  for (const route of routes) {
    const label = `${name} ${route.method} ${route.path.replaceAll(PATTERN, "")}`;
    const handle = route.counted ? counted(route, gate.count(writeError)) : uncounted(route, gate);
    app.on([route.method], [route.path], (c) => {
      c.env.context.route = label;
      c.env.context.crossOrigin = crossOrigin !== false;
      return handle(c);
    });
  }
}

/** One handler: a chain of handlers would cost two more layers of promises per call. */
function counted(route: Route, count: MiddlewareHandler<AppEnv>) {
  return async function countedRoute(c: AppContext): Promise<Response> {
    let response: Response | null = null;
    const refused = await count(c, async () => {
      response = await route.handle(c);
    });
    return response ?? (refused as Response); // count returns one unless it calls the handler
  };
}

function uncounted(route: Route, gate: Gate) {
  return function uncountedRoute(c: AppContext) {
    return whenReady(gate.peek(c), () => route.handle(c));
  };
}

function mountUnknown(app: Hono<AppEnv>, dialect: Dialect, gate: Gate): void {
  const { prefix, knownSegments } = dialect;
  if (prefix === undefined) return;
  const label = (path: string) => {
    const [segment = ""] = path.slice(prefix.length + 1).split("/", 1);
    return `${prefix}/${knownSegments?.has(segment) === true ? segment : "*"}`;
  };
  mountRefusal(app, dialect, `${prefix}/*`, gate, () => new ProxyError("not_found"), label);
}

/** Answers every method of a path that no route has taken. */
function mountRefusal(
  app: Hono<AppEnv>,
  { name, writeError, crossOrigin }: Dialect,
  path: string,
  gate: Gate,
  refusal: () => ProxyError,
  label: (path: string) => string = () => path,
): void {
  app.all(path, (c) => {
    c.env.context.route = `${name} ${label(c.req.path)}`;
    c.env.context.crossOrigin = crossOrigin !== false;
    return whenReady(gate.peek(c), () => writeError(c, refusal()));
  });
}

export function methodNotAllowed(methods: readonly string[]): ProxyError {
  const allow = methods.join(", ");
  return new ProxyError("method_not_allowed", { params: { methods: allow }, details: { allow } });
}

/** Errors that escape a handler are written by the dialect that owns the path. */
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
