import type { z } from "zod";
import type {
  CreateDocumentOptions,
  ZodOpenApiObject,
  ZodOpenApiPathItemObject,
} from "zod-openapi";
import type { Dialect, ErrorDoc } from "../../http/dialect.ts";
import { operationOf, securitySchemes, templateOf } from "./operation.ts";
import { headerComponents } from "./responses.ts";

export interface DocumentOptions {
  /** Parley's version. */
  readonly version: string;
  /** In the order in which their routes match. */
  readonly dialects: readonly Dialect[];
  /** Errors of unknown paths and of dialects without a form of their own. */
  readonly errors: ErrorDoc;
  readonly visitors: boolean;
}

/** OpenAPI 3.1 of all dialects, as JSON text. The first call loads the generator. */
export async function writeDocument(options: DocumentOptions): Promise<string> {
  const { createDocument } = await import("zod-openapi");
  return JSON.stringify(createDocument(describe(options), { override: plain }));
}

function describe({ version, dialects, errors, visitors }: DocumentOptions): ZodOpenApiObject {
  const paths: Record<string, ZodOpenApiPathItemObject> = {};
  const shown = dialects.flatMap((dialect) => dialect.routes.map((route) => ({ dialect, route })));
  for (const { dialect, route } of shown) {
    if (route.doc === undefined || isOtherSpelling(route.path)) continue;
    const path = templateOf(route.path);
    const operations = paths[path] ?? {};
    paths[path] = operations;
    // cast: toLowerCase() is typed as string
    const method = route.method.toLowerCase() as Lowercase<typeof route.method>;
    const { name, errors: own = errors } = dialect;
    operations[method] ??= operationOf(route, route.doc, { name, errors: own, visitors });
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
    tags: inReadersOrder(dialects).map(({ name, about }) => ({
      name,
      ...(about && { description: about }),
    })),
    paths,
    components: {
      schemas: errorSchemas(dialects, errors),
      headers: headerComponents,
      securitySchemes: securitySchemes(docs),
    },
  };
}

const readersOrder = [
  "envelope",
  "openai",
  "anthropic",
  "completion",
  "ask",
  "chats",
  "status",
  "pages",
  "docs",
  "operator",
  "admin",
];

/** What callers look for comes first; a dialect that is not named above comes last. */
function inReadersOrder(dialects: readonly Dialect[]): readonly Dialect[] {
  const rankOf = ({ name }: Dialect) => readersOrder.indexOf(name) + 1 || Number.MAX_SAFE_INTEGER;
  return dialects.toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** The same with a slash at its end: generators would make the same names of both. */
function isOtherSpelling(path: string): boolean {
  return path !== "/" && path.endsWith("/");
}

/** Each error schema once; operations refer to it. */
function errorSchemas(dialects: readonly Dialect[], fallback: ErrorDoc): Record<string, z.ZodType> {
  const names = new Map<z.ZodType, string>();
  for (const { name, errors } of dialects) {
    if (errors !== undefined) names.set(errors.schema, `${name}_error`);
  }
  if (!names.has(fallback.schema)) names.set(fallback.schema, "error");
  return Object.fromEntries([...names].map(([schema, name]) => [name, schema]));
}

/** What the generator can't know: answers may get more fields, and a format needs no pattern. */
const plain: NonNullable<CreateDocumentOptions["override"]> = ({ jsonSchema, zodSchema, io }) => {
  const { def } = zodSchema._zod;
  if (io === "output" && def.type === "object" && !("catchall" in def && def.catchall)) {
    delete jsonSchema.additionalProperties;
  }
  if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};
