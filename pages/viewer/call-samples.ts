import type { Sample } from "../shared/code-tabs.tsx";
import type { Operation } from "./document.ts";
import {
  addressOf,
  type Filled,
  formFieldsOf,
  ownHeadersOf,
  parsedBody,
  placeholderOf,
  withoutSecrets,
} from "./request.ts";

interface Written {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: none. */
  readonly json: unknown;
  /** Null: no form. */
  readonly form: readonly (readonly [name: string, value: string, isFile: boolean])[] | null;
  readonly isStream: boolean;
}

const FILE = "FILE";

/** The very request as code, with a placeholder for the key. */
export function callSamples(operation: Operation, filled: Filled): readonly Sample[] {
  const call = written(operation, withoutSecrets(operation, filled));
  return [
    { name: "curl", shown: curl(call) },
    { name: "Python", shown: python(call) },
    { name: "JavaScript", shown: javaScript(call) },
  ];
}

function written(operation: Operation, filled: Filled): Written {
  const key = placeholderOf(operation, filled);
  const json = operation.json === null || filled.usesForm ? undefined : parsedBody(filled);
  return {
    method: operation.method,
    url: decodedBraces(new URL(addressOf(operation, filled), document.baseURI).href),
    headers: {
      ...(key !== null && { Authorization: `Bearer ${key}` }),
      ...ownHeadersOf(operation, filled),
    },
    json,
    form: filled.usesForm
      ? formFieldsOf(operation).map(({ name, isFile }) => {
          return [name, isFile ? FILE : (filled.form[name] ?? ""), isFile] as const;
        })
      : null,
    isStream: Object(json).stream === true,
  };
}

/** Parameters that are not filled in stay visible as such. */
const decodedBraces = (url: string) => url.replaceAll("%7B", "{").replaceAll("%7D", "}");

const shell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function curl({ method, url, headers, json, form, isStream }: Written): string {
  const hasBody = json !== undefined || form !== null;
  const usual = hasBody ? "POST" : "GET";
  const options = [
    ...Object.entries(headers).map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`),
    ...(json === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d ${shell(JSON.stringify(json, null, 2))}`]),
    ...(form ?? []).map(
      ([name, value, isFile]) => `-F ${shell(`${name}=${isFile ? "@" : ""}${value}`)}`,
    ),
  ];
  const verb = method === usual ? "" : `-X ${method} `;
  const flow = isStream ? "-N " : "";
  return [`curl ${flow}${verb}${shell(url)}`, ...options].join(" \\\n  ");
}

const PYTHON_WORDS = new Map<unknown, string>([
  [true, "True"],
  [false, "False"],
  [null, "None"],
]);

/** A value as Python writes it. */
function literal(value: unknown, indent: string): string {
  const word = PYTHON_WORDS.get(value);
  if (word !== undefined) return word;
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  const isList = Array.isArray(value);
  const lines = isList
    ? value.map((one) => literal(one, inner))
    : Object.entries(Object(value)).map(
        ([name, one]) => `${JSON.stringify(name)}: ${literal(one, inner)}`,
      );
  const [opening, closing] = isList ? "[]" : "{}";
  if (lines.length === 0) return `${opening}${closing}`;
  return `${opening}\n${lines.map((line) => `${inner}${line},\n`).join("")}${indent}${closing}`;
}

function python({ method, url, headers, json, form, isStream }: Written): string {
  const indent = "    ";
  const texts = form?.filter(([, , isFile]) => !isFile) ?? [];
  const files = form?.filter(([, , isFile]) => isFile) ?? [];
  const opened = files.map(([name, value]) => `"${name}": open("${value}", "rb")`);
  const options = [
    JSON.stringify(url),
    ...(Object.keys(headers).length === 0 ? [] : [`headers=${literal(headers, indent)}`]),
    ...(json === undefined ? [] : [`json=${literal(json, indent)}`]),
    ...(texts.length === 0 ? [] : [`data=${literal(Object.fromEntries(texts), indent)}`]),
    ...(files.length === 0 ? [] : [`files={${opened.join(", ")}}`]),
    ...(isStream ? ["stream=True"] : []),
  ];
  const call = `r = requests.${method.toLowerCase()}(\n${options.map((one) => `${indent}${one},\n`).join("")})`;
  const shown = isStream
    ? "for line in r.iter_lines():\n    print(line.decode())"
    : "print(r.text)";
  return `import requests\n\n${call}\n${shown}`;
}

function javaScript({ method, url, headers, json, form, isStream }: Written): string {
  const all = { ...headers, ...(json !== undefined && { "Content-Type": "application/json" }) };
  const nested = (value: unknown) => JSON.stringify(value, null, 2).replaceAll("\n", "\n  ");
  const options = [
    ...(method === "GET" ? [] : [`method: "${method}"`]),
    ...(Object.keys(all).length === 0 ? [] : [`headers: ${nested(all)}`]),
    ...(json === undefined ? [] : [`body: JSON.stringify(${nested(json)})`]),
    ...(form === null ? [] : ["body: form"]),
  ];
  const given = options.length === 0 ? "" : `, {\n${options.map((one) => `  ${one},\n`).join("")}}`;
  const call = `const response = await fetch(${JSON.stringify(url)}${given});`;
  const shown = isStream
    ? "for await (const text of response.body.pipeThrough(new TextDecoderStream())) {\n  console.log(text);\n}"
    : "console.log(await response.text());";
  return `${formLines(form)}${call}\n${shown}`;
}

function formLines(form: Written["form"]): string {
  if (form === null) return "";
  const lines = form.map(([name, value, isFile]) =>
    isFile
      ? `form.append("${name}", await openAsBlob("${value}"), "${value}");`
      : `form.append("${name}", ${JSON.stringify(value)});`,
  );
  const opening = form.some(([, , isFile]) => isFile)
    ? 'import { openAsBlob } from "node:fs";\n\n'
    : "";
  return `${opening}const form = new FormData();\n${lines.join("\n")}\n`;
}
