import { ProxyError } from "../core/errors.ts";
import { readJson } from "../http/body/body.ts";
import { bearerIn, createSecretMatch } from "../http/call/bearer.ts";
import type { AppContext } from "../http/call/request-context.ts";
import type { Dialect, Route, WriteError } from "../http/dialect.ts";
import { httpStatus } from "../http/reply/http-status.ts";
import {
  answer,
  type ResponseHeaders,
  responseHeaders,
  retryHeaders,
} from "../http/reply/response-headers.ts";
import { streamText } from "../http/reply/text-stream.ts";
import type { Translate } from "../locales.ts";
import { adminErrors } from "./answers.ts";
import { adminDoc } from "./docs.ts";
import type { Admin } from "./operations.ts";

export interface AdminDialectOptions {
  readonly admin: Admin;
  /** ADMIN_TOKEN. */
  readonly token: string;
  readonly maxBodyBytes: number;
  readonly translate: Translate;
}

const JSON_TYPE = "application/json; charset=utf-8";
const CONTENT_TYPE = {
  csv: "text/csv; charset=utf-8",
  jsonl: "application/jsonl; charset=utf-8",
} as const;

type Work = (c: AppContext) => Promise<unknown>;

/** What the command line does, over HTTP and behind the operator's own token. Not counted. */
export function createAdminDialect(options: AdminDialectOptions): Dialect {
  const { maxBodyBytes } = options;
  const { tokens, prices, usage } = options.admin;
  const mayEnter = createGate(options.token);
  const body = (c: AppContext) => readJson(c.env.incoming, maxBodyBytes);

  const route = (method: Route["method"], path: string, work: Work, status = 200): Route => ({
    method,
    path: `/admin${path}`,
    counted: false,
    ...adminDoc(method, path),
    async handle(c) {
      mayEnter(c);
      return json(c, status, await work(c));
    },
  });
  const exported: Route = {
    method: "GET",
    path: "/admin/usage/export",
    counted: false,
    ...adminDoc("GET", "/usage/export"),
    handle(c) {
      mayEnter(c);
      return sendText(c, usage.export(c.req.query()));
    },
  };
  return {
    name: "admin",
    about: "The operator's own: tokens, prices and usage",
    prefix: "/admin",
    errors: adminErrors,
    writeError: createAdminErrors(options.translate),
    routes: [
      route("POST", "/tokens", async (c) => tokens.create(await body(c)), 201),
      route("GET", "/tokens", (c) => tokens.list(c.req.query())),
      route("GET", "/tokens/:id", (c) => tokens.show(named(c, "id"))),
      route("DELETE", "/tokens/:id", (c) => tokens.revoke(named(c, "id"))),
      route("GET", "/prices", (c) => prices.list(c.req.query())),
      route("POST", "/prices", async (c) => prices.set(await body(c))),
      route("POST", "/prices/import", async (c) => importPrices(options.admin, await body(c))),
      route("PUT", "/prices/:model", async (c) =>
        prices.set({ ...objectOf(await body(c)), model: named(c, "model") }),
      ),
      route("GET", "/usage", (c) => usage.sum(c.req.query())),
      exported,
    ],
  };
}

/** `{"default": true}` stands for the list that comes with this release. */
function importPrices({ prices }: Admin, given: unknown): Promise<unknown> {
  const shipped =
    typeof given === "object" && given !== null && Reflect.get(given, "default") === true;
  return shipped ? prices.importShipped() : prices.import(given);
}

function objectOf(given: unknown): object {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return given;
  throw new ProxyError("body_not_object");
}

function named(c: AppContext, name: string): string {
  return c.req.param(name) ?? "";
}

function createGate(token: string): (c: AppContext) => void {
  const matches = createSecretMatch(token);
  return function mayEnter(c) {
    const given = bearerIn(c.env.incoming.headers);
    if (given === undefined) throw new ProxyError("credential_missing");
    if (!matches(given)) throw new ProxyError("token_rejected");
  };
}

/** `{error: {code, message, field?}}` */
function createAdminErrors(translate: Translate): WriteError {
  return (c, error) => {
    const { language, requestId } = c.env.context;
    const message = translate(language, `error.${error.code}`, { ...error.params, requestId });
    const status = httpStatus[error.code];
    const headers: ResponseHeaders = {};
    if (error.retryAfterMs !== undefined) Object.assign(headers, retryHeaders(error.retryAfterMs));
    if (error.code === "method_not_allowed") headers.allow = String(error.details.allow);
    if (status === 401) headers["www-authenticate"] = "Bearer";
    return json(c, status, { error: { code: error.code, message, ...error.details } }, headers);
  };
}

function json(
  c: AppContext,
  status: number,
  body: unknown,
  headers: ResponseHeaders = {},
): Response {
  const all = { ...responseHeaders(c.env.context, JSON_TYPE), ...headers };
  return answer(status, JSON.stringify(body), all);
}

function sendText(
  c: AppContext,
  { format, text }: ReturnType<Admin["usage"]["export"]>,
): Promise<Response> {
  const disposition = `attachment; filename="usage.${format}"`;
  return streamText(c, CONTENT_TYPE[format], text, { "content-disposition": disposition });
}
