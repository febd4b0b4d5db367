import type { Given, Options } from "../command.ts";
import { fieldLines } from "../table.ts";
import type { Terminal } from "../tools.ts";

/** What tokens and groups may spend. */
export const quotaOptions: Options = {
  "requests-per-day": { value: "N", help: "quota of calls per day (UTC)" },
  "requests-per-month": { value: "N", help: "quota of calls per month" },
  "tokens-per-day": { value: "N", help: "quota of model tokens per day" },
  "tokens-per-month": { value: "N", help: "quota of model tokens per month" },
  "money-per-day": { value: "USD", help: "quota of US dollars per day, such as 2.50" },
  "money-per-month": { value: "USD", help: "quota of US dollars per month" },
};

/** What `token create` and `token update` take. */
export const tokenOptions: Options = {
  comment: { value: "TEXT", help: "a note for yourself" },
  expires: { value: "WHEN", help: "2027-01-31 (UTC), a time with its zone, or 12h, 30d, 4w" },
  models: { value: "A,B", help: "the only models it may use" },
  ...quotaOptions,
  "second-limit": { value: "N", help: "calls in any second" },
  "minute-limit": { value: "N", help: "calls in any minute" },
  "hour-limit": { value: "N", help: "calls in any hour" },
  "day-limit": { value: "N", help: "calls in any 24 hours" },
  "tokens-per-minute": { value: "N", help: "model tokens in any minute" },
  concurrency: { value: "N", help: "calls that may be open at once" },
  group: { value: "NAME", help: "its group, whose quotas it shares" },
  "upstream-key": {
    value: "KEY",
    help: "OpenAI key that pays for its calls; - reads it from standard input",
  },
};

export function secretShown({ token, ...rest }: { readonly token: string }): string {
  return `${token}\n\nThis is the token. It is not shown again.\n\n${fieldLines(rest)}`;
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
