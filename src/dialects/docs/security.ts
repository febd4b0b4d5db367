import { z } from "zod";
import type { ZodOpenApiObject } from "zod-openapi";
import type { RouteDoc } from "../../http/dialect.ts";

type Schemes = NonNullable<NonNullable<ZodOpenApiObject["components"]>["securitySchemes"]>;
type Requirement = Record<string, string[]>;

const KEY_OR_TOKEN =
  "An OpenAI API key of the caller's own, or a token that the operator issued (`parley-…`)";

const ofCallers = {
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

const ofOperators = {
  admin: { type: "http", scheme: "bearer", description: "ADMIN_TOKEN" },
  metrics: { type: "http", scheme: "bearer", description: "METRICS_TOKEN" },
} as const satisfies Schemes;

/** Those that some route asks for. */
export function securitySchemes(docs: readonly RouteDoc[]): Schemes {
  const wants = (credential: RouteDoc["credential"]) =>
    docs.some((doc) => doc.credential === credential);
  return {
    ...(wants(undefined) || wants("optional") ? ofCallers : {}),
    ...(wants("admin") ? { admin: ofOperators.admin } : {}),
    ...(wants("metrics") ? { metrics: ofOperators.metrics } : {}),
  };
}

/** One of these is enough; `{}` is none at all. */
export function securityOf({ credential, body }: RouteDoc, visitors: boolean): Requirement[] {
  if (credential === "none") return [];
  if (credential === "admin" || credential === "metrics") return [{ [credential]: [] }];
  const any = Object.keys(ofCallers).map((name): Requirement => ({ [name]: [] }));
  const inBody = body instanceof z.ZodObject && "api_key" in body.shape;
  return credential === "optional" && (visitors || inBody) ? [{}, ...any] : any;
}
