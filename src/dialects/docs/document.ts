import type { z } from "zod";
import type {
  CreateDocumentOptions,
  ZodOpenApiObject,
  ZodOpenApiPathItemObject,
} from "zod-openapi";
import type { Dialect, ErrorDoc, Route } from "../../http/dialect.ts";
import { headerComponents } from "./headers.ts";
import { operationOf, templateOf } from "./operation.ts";
import { securitySchemes } from "./security.ts";

export interface DocumentOptions {
  /** Of Parley. */
  readonly version: string;
  /** In the order in which their routes are looked at. */
  readonly dialects: readonly Dialect[];
  /** The form of unknown paths and of dialects that have none of their own. */
  readonly errors: ErrorDoc;
  readonly visitors: boolean;
}

/** OpenAPI 3.1 of everything that is served, as text. The generator is loaded by the first call. */
export async function writeDocument(options: DocumentOptions): Promise<string> {
  const { createDocument } = await import("zod-openapi");
  return JSON.stringify(createDocument(describe(options), { override: plain }));
}

function describe({ version, dialects, errors, visitors }: DocumentOptions): ZodOpenApiObject {
  const paths: Record<string, ZodOpenApiPathItemObject> = {};
  const shown = dialects.flatMap((dialect) => dialect.routes.map((route) => ({ dialect, route })));
  for (const { dialect, route } of shown) {
    if (route.doc === undefined) continue;
    const path = templateOf(route.path);
    const operations = paths[path] ?? {};
    paths[path] = operations;
    operations[methodOf(route)] ??= operationOf(route, route.doc, {
      name: dialect.name,
      errors: dialect.errors ?? errors,
      visitors,
    });
  }
  const docs = shown.flatMap(({ route }) => route.doc ?? []);
  return {
    openapi: "3.1.1",
    info: {
      title: "Parley",
      version,
      description:
        "A self-hosted ChatGPT API. Texts for people come in the language of the request.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: dialects.map(({ name, about }) => ({ name, ...(about && { description: about }) })),
    paths,
    components: {
      schemas: errorSchemas(dialects, errors),
      headers: headerComponents,
      securitySchemes: securitySchemes(docs),
    },
  };
}

/** Each form of errors once; operations refer to it. */
function errorSchemas(dialects: readonly Dialect[], fallback: ErrorDoc): Record<string, z.ZodType> {
  const names = new Map<z.ZodType, string>();
  for (const { name, errors } of dialects) {
    if (errors !== undefined) names.set(errors.schema, `${name}_error`);
  }
  if (!names.has(fallback.schema)) names.set(fallback.schema, "error");
  return Object.fromEntries([...names].map(([schema, name]) => [name, schema]));
}

function methodOf({ method }: Route) {
  return method.toLowerCase() as "get" | "post" | "put" | "delete"; // one of these, says its type
}

/** What a generator can't know: answers may grow, and what the format says needs no pattern. */
const plain: NonNullable<CreateDocumentOptions["override"]> = ({ jsonSchema, zodSchema, io }) => {
  const { def } = zodSchema._zod;
  if (io === "output" && def.type === "object" && !("catchall" in def && def.catchall)) {
    delete jsonSchema.additionalProperties;
  }
  if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};
