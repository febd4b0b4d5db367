import { storageUnavailable } from "../core/common-errors.ts";
import { ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { readBody, readJson } from "../http/body/body.ts";
import type { OperatorAccess } from "../http/call/operator-access.ts";
import type { OperatorSessions } from "../http/call/operator-sessions.ts";
import type { AppContext } from "../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc, WriteError } from "../http/dialect.ts";
import { httpStatus } from "../http/reply/http-status.ts";
import { createJsonErrors, respondJson } from "../http/reply/json-response.ts";
import { streamText } from "../http/reply/text-stream.ts";
import type { Translate } from "../locales.ts";
import { storageProblem } from "../storage/driver/storage-errors.ts";
import { adminErrors, routeDocs } from "./docs.ts";
import { doctorHandlers, type InstanceFacts } from "./doctor-routes.ts";
import { MAX_LIST_BYTES, parseList } from "./list-json.ts";
import type { Admin } from "./operations.ts";
import { optionalBody } from "./optional-body.ts";
import { reportHandlers } from "./report-routes.ts";
import { sessionDocs } from "./session-docs.ts";
import { sessionHandlers } from "./session-routes.ts";
import { upstreamHandlers } from "./upstream-routes.ts";

export interface AdminDialectOptions {
  readonly admin: Admin;
  /** What `parley doctor` asks for. */
  readonly facts: InstanceFacts;
  readonly clock: Clock;
  readonly operator: OperatorAccess;
  readonly sessions: OperatorSessions;
  readonly maxBodyBytes: number;
  readonly translate: Translate;
}

const EXPORT_TYPES = {
  csv: "text/csv; charset=utf-8",
  jsonl: "application/jsonl; charset=utf-8",
} as const;

type RouteName = keyof typeof routeDocs;
type Handlers = Readonly<Record<RouteName, (c: AppContext) => Promise<Response>>>;

/** The operations over HTTP, for the operator. Limits do not count these calls. */
export function createAdminDialect(options: AdminDialectOptions): Dialect {
  return {
    name: "admin",
    about: "For the operator: tokens, groups, prices, upstreams and usage",
    prefix: "/admin",
    crossOrigin: false,
    errors: adminErrors,
    writeError: createAdminErrors(options.translate),
    routes: [...signInRoutes(options), ...operatorRoutes(options)],
  };
}

function operatorRoutes(options: AdminDialectOptions): readonly Route[] {
  const { operator } = options;
  const handlers = createHandlers(options);
  return namesOf(routeDocs).map((name) => {
    const doc: RouteDoc = { ...routeDocs[name], credential: "admin", asks: false };
    return routeOf(name, doc, async (c) => {
      const { incoming, context } = c.env;
      await operator.enter(incoming, context.client.bucket);
      return handlers[name](c).catch(unlessDatabase);
    });
  });
}

/** A database that does not serve is away, and no fault of ours. */
function unlessDatabase(error: unknown): never {
  if (error instanceof ProxyError || storageProblem(error) === null) throw error;
  return storageUnavailable(error);
}

/** What everybody may call to become the operator. */
function signInRoutes(options: AdminDialectOptions): readonly Route[] {
  const handlers = sessionHandlers(options);
  return namesOf(sessionDocs).map((name) => {
    const doc: RouteDoc = { ...sessionDocs[name], credential: "none", asks: false };
    return routeOf(name, doc, handlers[name]);
  });
}

function namesOf<Name extends string>(docs: Readonly<Record<Name, RouteDoc>>): Name[] {
  return Object.keys(docs) as Name[]; // an object literal has no others
}

function routeOf(name: string, doc: RouteDoc, handle: Route["handle"]): Route {
  const [method, path] = name.split(" ") as [Route["method"], string]; // as names are typed
  return { method, path: `/admin${path}`, counted: false, doc, handle };
}

function createHandlers(options: AdminDialectOptions): Handlers {
  const { admin, maxBodyBytes } = options;
  const { tokens, groups, prices, usage } = admin;
  const body = (c: AppContext) => readJson(c.env.incoming, maxBodyBytes);
  return {
    ...upstreamHandlers(admin, maxBodyBytes),
    ...reportHandlers(admin),
    ...doctorHandlers(options),
    "POST /tokens": async (c) => respondJson(c, 201, await tokens.create(await body(c))),
    "GET /tokens": async (c) => respondJson(c, 200, await tokens.list(c.req.query())),
    "GET /tokens/:id": async (c) => respondJson(c, 200, await tokens.show(idIn(c))),
    "PATCH /tokens/:id": async (c) =>
      respondJson(c, 200, await tokens.update(idIn(c), await body(c))),
    "POST /tokens/:id/rotate": async (c) => {
      const given = await optionalBody(c, maxBodyBytes);
      return respondJson(c, 200, await tokens.rotate(idIn(c), given));
    },
    "POST /tokens/:id/disable": async (c) => respondJson(c, 200, await tokens.disable(idIn(c))),
    "POST /tokens/:id/enable": async (c) => respondJson(c, 200, await tokens.enable(idIn(c))),
    "DELETE /tokens/:id": async (c) => respondJson(c, 200, await tokens.revoke(idIn(c))),
    "POST /groups": async (c) => respondJson(c, 201, await groups.create(await body(c))),
    "GET /groups": async (c) => respondJson(c, 200, await groups.list(c.req.query())),
    "GET /groups/:name{.+}": async (c) => respondJson(c, 200, await groups.show(nameIn(c))),
    "PATCH /groups/:name{.+}": async (c) =>
      respondJson(c, 200, await groups.update(nameIn(c), await body(c))),
    "DELETE /groups/:name{.+}": async (c) => respondJson(c, 200, await groups.remove(nameIn(c))),
    "GET /prices": async (c) => respondJson(c, 200, await prices.list(c.req.query())),
    "POST /prices": async (c) => respondJson(c, 200, await prices.set(await body(c))),
    "POST /prices/import": async (c) => {
      // a public list is larger than any question
      const maxBytes = Math.max(maxBodyBytes, MAX_LIST_BYTES);
      const list = parseList(await readBody(c.env.incoming, { maxBytes }));
      return respondJson(c, 200, await importPrices(prices, list, c.req.query()));
    },
    "PUT /prices/:model{.+}": async (c) => {
      const model = c.req.param("model") ?? "";
      return respondJson(c, 200, await prices.set({ ...objectOf(await body(c)), model }));
    },
    "GET /usage": async (c) => respondJson(c, 200, await usage.sum(c.req.query())),
    "GET /usage/export": async (c) => {
      const { format, text } = usage.export(c.req.query());
      const disposition = `attachment; filename="usage.${format}"`;
      return streamText(c, EXPORT_TYPES[format], text, { "content-disposition": disposition });
    },
  };
}

function idIn(c: AppContext): string {
  return c.req.param("id") ?? "";
}

function nameIn(c: AppContext): string {
  return c.req.param("name") ?? "";
}

/** `{"default": true}` imports the list of this release. */
function importPrices(
  prices: Admin["prices"],
  given: unknown,
  form: Readonly<Record<string, string>>,
): Promise<unknown> {
  const shipped =
    typeof given === "object" && given !== null && Reflect.get(given, "default") === true;
  return shipped ? prices.importShipped() : prices.import(given, form);
}

function objectOf(given: unknown): object {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return given;
  throw new ProxyError("body_not_object");
}

/** `{error: {code, message, field?}}` */
function createAdminErrors(translate: Translate): WriteError {
  const write = createJsonErrors(translate, {
    status: httpStatus,
    body: ({ code, details }, message) => ({ error: { code, message, ...details } }),
  });
  return (c, error) => {
    const response = write(c, error);
    if (response.status === 401) response.headers.set("www-authenticate", "Bearer");
    return response;
  };
}
