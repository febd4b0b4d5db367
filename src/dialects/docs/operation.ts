import { z } from "zod";
import type { ZodOpenApiOperationObject, ZodOpenApiResponsesObject } from "zod-openapi";
import type { ErrorCode } from "../../core/errors.ts";
import type { ErrorDoc, Route, RouteDoc } from "../../http/dialect.ts";
import { failuresOf } from "./failures.ts";
import { commonHeaders, errorHeaders } from "./headers.ts";
import { securityOf } from "./security.ts";

export interface OperationOptions {
  /** The dialect's name. */
  readonly name: string;
  readonly errors: ErrorDoc;
  /** Whether callers without a credential may ask where a route leaves it to them. */
  readonly visitors: boolean;
}

const JSON_TYPE = "application/json";
const EVENTS_TYPE = "text/event-stream";

/** One route with its description, as OpenAPI has it. */
export function operationOf(
  route: Route,
  doc: RouteDoc,
  { name, errors, visitors }: OperationOptions,
): ZodOpenApiOperationObject {
  const { summary, description, body } = doc;
  return {
    operationId: `${name}_${route.method.toLowerCase()}_${words(route.path)}`,
    tags: [name],
    summary,
    ...(description === undefined ? {} : { description }),
    security: securityOf(doc, visitors),
    requestParams: paramsOf(route.path, doc),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: body } } } }),
    responses: { ...goodResponses(doc), ...errorResponses(failuresOf(route, doc), errors) },
  };
}

/** `/ask/:conversation_id` becomes `/ask/{conversation_id}`. */
export function templateOf(path: string): string {
  return path.replaceAll(PARAMETER, "{$1}");
}

/** A router's parameter, with or without the pattern that it has to match. */
const PARAMETER = /:(\w+)(?:\{[^}]*\})?/g;

function words(path: string): string {
  return path === "/" ? "root" : path.slice(1).replaceAll(/\W+/g, "_");
}

function paramsOf(path: string, { params = {}, query, headers }: RouteDoc) {
  const names = [...path.matchAll(PARAMETER)].map(([, name = ""]) => name);
  const inPath = Object.fromEntries(names.map((name) => [name, params[name] ?? z.string()]));
  const inHeader = Object.entries(headers ?? {}).map(
    ([name, meaning]) => [name, z.string().optional().describe(meaning)] as const,
  );
  return {
    ...(names.length === 0 ? {} : { path: z.object(inPath) }),
    ...(query === undefined ? {} : { query }),
    ...(headers === undefined ? {} : { header: z.object(Object.fromEntries(inHeader)) }),
  };
}

function goodResponses(doc: RouteDoc): ZodOpenApiResponsesObject {
  const { status = 200, also = {}, answer, answerType = JSON_TYPE, event } = doc;
  if (status === 101) return { 101: { description: "The connection is a WebSocket from here on" } };
  const media = answer === undefined ? {} : { schema: answer };
  const content = {
    ...Object.fromEntries([answerType].flat().map((type) => [type, media])),
    ...(event === undefined ? {} : { [EVENTS_TYPE]: { schema: event } }),
  };
  const streamed =
    "; with `stream`, events whose `data` is one such object each, and `[DONE]` at the end";
  const description = event === undefined ? "As asked for" : `As asked for${streamed}`;
  const good = { headers: commonHeaders, content };
  const others = Object.entries(also).map(([code, meaning]) => [
    code,
    { ...good, description: meaning },
  ]);
  return { [status]: { ...good, description }, ...Object.fromEntries(others) };
}

function errorResponses(codes: ReadonlySet<ErrorCode>, { status, schema }: ErrorDoc) {
  const byStatus = Map.groupBy(codes, (code) => status[code]);
  const responses: ZodOpenApiResponsesObject = {};
  for (const [code, all] of byStatus) {
    responses[`${code}` as "400"] = {
      description: all.map((one) => `\`${one}\``).join(", "),
      headers: errorHeaders(all),
      content: { [JSON_TYPE]: { schema } },
    };
  }
  return responses;
}
