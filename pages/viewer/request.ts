import { bareKey } from "../shared/bare-key.ts";
import { data } from "../shared/data.ts";
import type { Needs, Operation, Parameter } from "./document.ts";
import { resolved } from "./fields.ts";

/** Where the reader's key goes, in examples. */
const KEY = "YOUR_KEY";
const placeholders = {
  none: null,
  optional: KEY,
  caller: KEY,
  admin: "YOUR_ADMIN_TOKEN",
  metrics: "YOUR_METRICS_TOKEN",
} as const satisfies Record<Needs, string | null>;

const INDENT = 2;

/** What the reader has filled in. */
export interface Filled {
  readonly parameters: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
  /** Fields of a form; files are beside them. */
  readonly form: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, File>>;
  readonly usesForm: boolean;
}

export function keyOfParameter(parameter: Pick<Parameter, "in" | "name">): string {
  return `${parameter.in} ${parameter.name}`;
}

/** Its example runs as it stands. */
export function exampleFilled(operation: Operation): Filled {
  const { parameters, json, form } = operation;
  const given = parameters.flatMap((one) => {
    const example = one.schema?.example;
    return example === undefined ? [] : [[keyOfParameter(one), String(example)] as const];
  });
  const fields = formFieldsOf(operation).flatMap(({ name, example }) =>
    example === undefined ? [] : [[name, String(example)] as const],
  );
  return {
    parameters: Object.fromEntries(given),
    body: json === null ? "" : JSON.stringify(json.example ?? {}, null, INDENT),
    form: Object.fromEntries(fields),
    files: {},
    usesForm: json === null && form !== null,
  };
}

export interface FormField {
  readonly name: string;
  readonly isFile: boolean;
  readonly example: unknown;
}

export function formFieldsOf({ form }: Operation): readonly FormField[] {
  const { properties = {} } = resolved(form?.schema ?? {}, {});
  return Object.entries(properties).map(([name, { format, example }]) => {
    return { name, isFile: format === "binary", example };
  });
}

/** Relative, so that a prefix that a proxy takes away stays. */
export function addressOf({ path, parameters }: Operation, filled: Filled): string {
  const given = (one: Parameter) => filled.parameters[keyOfParameter(one)] ?? "";
  const inPath = path.slice(1).replaceAll(/\{(\w+)\}/g, (all, name: string) => {
    const parameter = parameters.find((one) => one.in === "path" && one.name === name);
    const value = parameter === undefined ? "" : given(parameter);
    return value === "" ? all : encodeURIComponent(value);
  });
  const query = new URLSearchParams(
    parameters
      .filter((one) => one.in === "query" && given(one) !== "")
      .map((one) => [one.name, given(one)]),
  );
  return query.size === 0 ? `./${inPath}` : `./${inPath}?${query}`;
}

/** Credentials that have a header of their own. */
const SECRET = /^(?:x-api-key|\w+-token)$/i;
const SECRET_PLACEHOLDER = "YOUR_SECRET";

export function isSecret({ in: place, name }: Parameter): boolean {
  return place === "header" && SECRET.test(name);
}

/** What is filled in, with placeholders for secrets. */
export function withoutSecrets({ parameters }: Operation, filled: Filled): Filled {
  const secret = new Set(parameters.filter(isSecret).map(keyOfParameter));
  const shown = Object.entries(filled.parameters).map(([key, value]) => {
    return [key, secret.has(key) && value !== "" ? SECRET_PLACEHOLDER : value] as const;
  });
  return { ...filled, parameters: Object.fromEntries(shown) };
}

export function ownHeadersOf({ parameters }: Operation, filled: Filled): Record<string, string> {
  const given = parameters.flatMap((one) => {
    const value = filled.parameters[keyOfParameter(one)] ?? "";
    return one.in === "header" && value !== "" ? [[one.name, value] as const] : [];
  });
  return Object.fromEntries(given);
}

/** What stands for the credential in an example; null: it needs none, or it is in the body. */
export function placeholderOf({ needs }: Operation, { body, usesForm }: Filled): string | null {
  if (needs === "optional" && (data.sharedKey || (!usesForm && body.includes(`"${KEY}"`)))) {
    return null;
  }
  return placeholders[needs];
}

/** The body with the reader's key in the place of its placeholder. */
export function withKeyIn(body: string, key: string): string {
  const bare = bareKey(key);
  return bare === "" ? body : body.replaceAll(`"${KEY}"`, () => JSON.stringify(bare));
}

/** Undefined: it is no JSON. */
export function parsedBody({ body }: Filled): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
