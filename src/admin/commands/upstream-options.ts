import { fieldError } from "../../core/common-errors.ts";
import { upstreamKinds } from "../../core/routing/routing.ts";
import { type Given, type Options, UsageError } from "../command.ts";
import type { Terminal } from "../tools.ts";

/** What `upstream add` and `upstream set` take. */
export const upstreamOptions: Options = {
  url: { value: "URL" },
  kind: { value: "KIND", choices: upstreamKinds },
  key: { value: "-" },
  models: { value: "A,B" },
  proxy: { value: "URL" },
  header: { value: "NAME=VALUE", isList: true },
  concurrency: { value: "N" },
  "answer-seconds": { value: "N" },
  "first-token-seconds": { value: "N" },
};

type Fields = Readonly<Record<string, unknown>>;

/** The fields as operations name them. */
export async function upstreamFields({ fields }: Given, terminal: Terminal): Promise<Fields> {
  const { key, header, ...others } = fields;
  const entries = Object.entries(others).map(([name, value]) => [name, noneAsNull(value)]);
  return {
    ...Object.fromEntries(entries),
    ...(key === undefined ? {} : { keys: await keysIn(key, terminal) }),
    ...(header === undefined ? {} : { headers: headersIn([header].flat().map(String)) }),
  };
}

function noneAsNull(value: unknown): unknown {
  return value === "none" ? null : value;
}

/** Arguments are seen by others, and kept in the shell's history. */
async function keysIn(key: unknown, terminal: Terminal): Promise<string | null> {
  if (key === "none") return null;
  if (key === "-") return terminal.readInput();
  throw new UsageError("key_from_input");
}

/** Null takes all away. */
function headersIn(given: readonly string[]): Fields | null {
  if (given.length === 1 && given[0] === "none") return null;
  const headers = new Map<string, string>();
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError("header_form");
    const name = text.slice(0, at);
    if (headers.has(name)) throw fieldError("field_repeated", `headers.${name}`);
    headers.set(name, text.slice(at + 1));
  }
  return Object.fromEntries(headers);
}
