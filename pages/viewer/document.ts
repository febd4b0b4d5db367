/** The parts of OpenAPI that the viewer reads. The server wrote it; texts are still checked to be texts. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly example?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

export interface ResponseDoc {
  readonly description?: string;
  readonly content?: Readonly<Record<string, Media>>;
}

/** Whose credential a request needs. */
export type Needs = "none" | "optional" | "caller" | "admin" | "metrics";

export interface Operation {
  readonly tag: string;
  readonly method: string;
  readonly path: string;
  /** After `#/`. */
  readonly place: string;
  readonly summary: string;
  readonly description: string;
  readonly needs: Needs;
  readonly parameters: readonly Parameter[];
  readonly json: Media | null;
  readonly form: Media | null;
  readonly responses: readonly (readonly [status: string, response: ResponseDoc])[];
}

export interface Group {
  readonly name: string;
  readonly about: string;
  readonly operations: readonly Operation[];
}

export interface ApiDocument {
  readonly about: string;
  readonly version: string;
  readonly groups: readonly Group[];
  readonly definitions: Definitions;
}

export type Definitions = Readonly<Record<string, Schema>>;

interface RawOperation {
  readonly tags?: readonly string[];
  readonly summary?: unknown;
  readonly description?: unknown;
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, Media>> };
  readonly responses?: Readonly<Record<string, ResponseDoc>>;
}

/** As `GET /openapi.json` has it. */
export interface RawDocument {
  readonly info?: { readonly description?: unknown; readonly version?: unknown };
  readonly tags?: readonly { readonly name?: unknown; readonly description?: unknown }[];
  readonly paths?: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: { readonly schemas?: Definitions };
}

const textIn = (value: unknown) => (typeof value === "string" ? value : "");

/** Requests of callers first, the operator's last. */
export function readDocument(raw: RawDocument): ApiDocument {
  const all = Object.entries(raw.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => readOperation(path, method, operation)),
  );
  const groups = (raw.tags ?? []).map(({ name, description }) => ({
    name: textIn(name),
    about: textIn(description),
    operations: all.filter(({ tag }) => tag === name),
  }));
  return {
    about: textIn(raw.info?.description),
    version: textIn(raw.info?.version),
    groups: groups
      .filter(({ operations }) => operations.length > 0)
      .toSorted((a, b) => rankOf(a) - rankOf(b)),
    definitions: raw.components?.schemas ?? {},
  };
}

function rankOf({ operations }: Group): number {
  if (operations.some(({ needs }) => needs === "caller" || needs === "optional")) return 0;
  return operations.some(({ needs }) => needs === "admin") ? 2 : 1;
}

function readOperation(path: string, method: string, raw: RawOperation): Operation {
  const tag = textIn(raw.tags?.[0]);
  const content = raw.requestBody?.content ?? {};
  const inPlace = path.replaceAll(/\{(\w+)\}/g, ":$1").replace(/^\/$/, "");
  return {
    tag,
    method: method.toUpperCase(),
    path,
    place: `${tag}/${method}${inPlace}`,
    summary: textIn(raw.summary),
    description: textIn(raw.description),
    needs: needsOf(raw.security ?? []),
    parameters: raw.parameters ?? [],
    json: content["application/json"] ?? null,
    form: content["multipart/form-data"] ?? null,
    responses: Object.entries(raw.responses ?? {}),
  };
}

function needsOf(security: readonly object[]): Needs {
  const names = security.map((one) => Object.keys(one)[0] ?? "");
  if (names.length === 0) return "none";
  if (names.includes("admin")) return "admin";
  if (names.includes("metrics")) return "metrics";
  return names.includes("") ? "optional" : "caller";
}
