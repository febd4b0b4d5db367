import type { Given, Options } from "../command.ts";
import { fieldLines } from "../table.ts";
import type { Terminal, Tools } from "../tools.ts";

/** What tokens and groups may spend. */
export const quotaOptions: Options = {
  "requests-per-day": { value: "N" },
  "requests-per-month": { value: "N" },
  "tokens-per-day": { value: "N" },
  "tokens-per-month": { value: "N" },
  "money-per-day": { value: "USD" },
  "money-per-month": { value: "USD" },
};

/** What `token create` and `token update` take. */
export const tokenOptions: Options = {
  comment: { value: "TEXT" },
  expires: { value: "WHEN" },
  models: { value: "A,B" },
  ...quotaOptions,
  "second-limit": { value: "N" },
  "minute-limit": { value: "N" },
  "hour-limit": { value: "N" },
  "day-limit": { value: "N" },
  "tokens-per-minute": { value: "N" },
  concurrency: { value: "N" },
  group: { value: "NAME" },
  "upstream-key": { value: "KEY" },
};

export function secretShown(shown: { readonly token: string }, { look, say }: Tools): string {
  const { token, ...rest } = shown;
  return `${token}\n\n${say("result.token")}\n\n${fieldLines(rest, look)}`;
}

export type Fields = Readonly<Record<string, unknown>>;

/** An upstream key of `-` is on standard input. */
export async function withInput({ fields }: Given, terminal: Terminal): Promise<Fields> {
  if (fields.upstream_key !== "-") return fields;
  return { ...fields, upstream_key: await terminal.readInput() };
}

/** A name can't be taken away, so `none` is one. */
export function withoutNone({ name, ...fields }: Fields): Fields {
  const entries = Object.entries(fields).map(([key, value]) => [
    key,
    value === "none" ? null : value,
  ]);
  return { ...(name === undefined ? {} : { name }), ...Object.fromEntries(entries) };
}
