import { z } from "zod";
import type { ZodOpenApiObject, ZodOpenApiOperationObject } from "zod-openapi";
import type { ErrorDoc, Route, RouteDoc } from "../../http/dialect.ts";
import { responsesOf } from "./responses.ts";

export interface OperationOptions {
  /** The dialect's name. */
  readonly name: string;
  readonly errors: ErrorDoc;
  /** Whether callers without a credential may ask if a route leaves it optional. */
  readonly visitors: boolean;
}

/** One route with its description, as an OpenAPI operation. */
export function operationOf(
  route: Route,
  doc: RouteDoc,
  { name, errors, visitors }: OperationOptions,
): ZodOpenApiOperationObject {
  const { summary, description } = doc;
  const content = bodiesOf(doc);
  const words = templateOf(route.path).match(/\w+/g) ?? ["root"];
  return {
    operationId: `${name}_${route.method.toLowerCase()}_${words.join("_")}`,
    tags: [name],
    summary,
    ...(description && { description }),
    security: securityOf(doc, visitors),
    requestParams: paramsOf(route.path, doc),
    ...(content && { requestBody: { required: true, content } }),
    responses: responsesOf(route, doc, errors),
  };
}

function bodiesOf({ body, example, form }: RouteDoc) {
  if (body === undefined && form === undefined) return undefined;
  return {
    ...(body && { "application/json": { schema: body, example } }),
    ...(form && { "multipart/form-data": { schema: form } }),
  };
}

/** A router's parameter, with or without its pattern. */
const PARAMETER = /:(\w+)(?:\{[^}]*\})?/g;

/** `/ask/:conversation_id` becomes `/ask/{conversation_id}`. */
export function templateOf(path: string): string {
  return path.replaceAll(PARAMETER, "{$1}");
}

function paramsOf(path: string, { params = {}, query, headers }: RouteDoc) {
  const names = [...path.matchAll(PARAMETER)].map(([, name = ""]) => name);
  const inPath = Object.fromEntries(names.map((name) => [name, params[name] ?? z.string()]));
  const inHeader = Object.entries(headers ?? {}).map(
    ([name, meaning]) => [name, z.string().optional().describe(meaning)] as const,
  );
  return {
    ...(names.length > 0 && { path: z.object(inPath) }),
    ...(query && { query }),
    ...(headers && { header: z.object(Object.fromEntries(inHeader)) }),
  };
}

type Schemes = NonNullable<NonNullable<ZodOpenApiObject["components"]>["securitySchemes"]>;

const KEY_OR_TOKEN =
  "An OpenAI API key of the caller's own, or a token that the operator issued (`parley-…`)";

const callerSchemes = {
  bearer: { type: "http", scheme: "bearer", description: KEY_OR_TOKEN },
  apiKey: { type: "apiKey", in: "header", name: "Api-Key", description: KEY_OR_TOKEN },
  openaiToken: { type: "apiKey", in: "header", name: "openai-token", description: KEY_OR_TOKEN },
  accessToken: {
    type: "apiKey",
    in: "header",
    name: "access-token",
    description: "A token that the operator issued (`parley-…`)",
  },
} as const satisfies Schemes;

const OPERATORS = "The operator's token: ADMIN_TOKEN, or the one that was chosen in a browser";

const operatorSchemes = {
  admin: { type: "http", scheme: "bearer", description: OPERATORS },
  metrics: { type: "http", scheme: "bearer", description: "METRICS_TOKEN" },
} as const satisfies Schemes;

/** The security schemes that some route uses. */
export function securitySchemes(docs: readonly RouteDoc[]): Schemes {
  const used = new Set(docs.map(({ credential }) => credential));
  const { admin, metrics } = operatorSchemes;
  return {
    ...((used.has(undefined) || used.has("optional")) && callerSchemes),
    ...(used.has("admin") && { admin }),
    ...(used.has("metrics") && { metrics }),
  };
}

/** Alternatives: any one of them is enough, and `{}` is no credential. */
function securityOf({ credential, body }: RouteDoc, visitors: boolean): Record<string, string[]>[] {
  if (credential === "none") return [];
  if (credential === "admin" || credential === "metrics") return [{ [credential]: [] }];
  const any = Object.keys(callerSchemes).map((name) => ({ [name]: [] }));
  return credential === "optional" && (visitors || takesKey(body)) ? [{}, ...any] : any;
}

/** Whether the credential may be in the body. */
function takesKey(body: unknown): boolean {
  if (body instanceof z.ZodUnion) return body.options.some(takesKey);
  return body instanceof z.ZodObject && "api_key" in body.shape;
}
