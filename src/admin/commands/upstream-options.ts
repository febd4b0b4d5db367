import { fieldError } from "../../core/common-errors.ts";
import { type Given, type Options, UsageError } from "../command.ts";
import type { Terminal } from "../tools.ts";

/** What `upstream add` and `upstream set` take. */
export const upstreamOptions: Options = {
  url: { value: "URL", help: "base URL such as https://api.deepseek.com/v1, or a complete one" },
  kind: { value: "KIND", help: "openai (default), azure or anthropic" },
  key: { value: "-", help: "read keys from standard input, one per line; used in turn" },
  models: { value: "A,B", help: "models that it answers without a route" },
  proxy: { value: "URL", help: "outbound proxy: http, https or socks5" },
  header: { value: "NAME=VALUE", help: "sent with each request; may be repeated", isList: true },
  concurrency: { value: "N", help: "most calls that are open at once" },
  "answer-seconds": { value: "N", help: "timeout for an answer (default: as in the settings)" },
  "first-token-seconds": { value: "N", help: "timeout for the start of a stream (the same)" },
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
  throw new UsageError("--key takes only -: write the keys to standard input, one per line");
}

/** Null takes all away. */
function headersIn(given: readonly string[]): Fields | null {
  if (given.length === 1 && given[0] === "none") return null;
  const headers = new Map<string, string>();
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError("--header takes NAME=VALUE");
    const name = text.slice(0, at);
    if (headers.has(name)) throw fieldError("field_repeated", `headers.${name}`);
    headers.set(name, text.slice(at + 1));
  }
  return Object.fromEntries(headers);
}
