import { type Command, exitCodes, type Given, type Options } from "../command.ts";
import { fieldLines, table } from "../table.ts";
import type { Terminal } from "../tools.ts";

const newTokenOptions: Options = {
  name: { value: "NAME", help: "who it is for (required)" },
  comment: { value: "TEXT", help: "a note for yourself" },
  expires: { value: "WHEN", help: "2027-01-31 (UTC), a time with its zone, or 12h, 30d, 4w" },
  models: { value: "A,B", help: "the only models it may use" },
  "requests-per-day": { value: "N", help: "quota of calls per day (UTC)" },
  "requests-per-month": { value: "N", help: "quota of calls per month" },
  "tokens-per-day": { value: "N", help: "quota of model tokens per day" },
  "tokens-per-month": { value: "N", help: "quota of model tokens per month" },
  "money-per-day": { value: "USD", help: "quota of US dollars per day, such as 2.50" },
  "money-per-month": { value: "USD", help: "quota of US dollars per month" },
  "second-limit": { value: "N", help: "calls in any second" },
  "minute-limit": { value: "N", help: "calls in any minute" },
  "hour-limit": { value: "N", help: "calls in any hour" },
  "day-limit": { value: "N", help: "calls in any 24 hours" },
  "upstream-key": {
    value: "KEY",
    help: "OpenAI key that pays for its calls; - reads it from standard input",
  },
};

const tokenColumns = [
  "id",
  "name",
  "state",
  "hint",
  "created_at",
  "expires_at",
  "models",
  "comment",
];
const quotaColumns = ["quota", "period", "limit", "used", "resets_at"];

export const tokenCommands: readonly Command[] = [
  {
    name: "token create",
    summary: "Creates a token and shows it once.",
    options: newTokenOptions,
    notes: [
      "Without --upstream-key, the key is taken from PARLEY_UPSTREAM_KEY if that is set. Read it",
      "with -, so that it stays out of the shell's history. Storing it requires SECRET_KEY.",
    ],
    async run(given, { terminal, withNewAdmin }) {
      const fields = { ...given.fields, ...(await upstreamKey(given, terminal)) };
      const value = await withNewAdmin((admin) => admin.tokens.create(fields));
      const { token, ...rest } = value;
      const text = `${token}\n\nThis is the token. It is not shown again.\n\n${fieldLines(rest)}`;
      return { value, text };
    },
  },
  {
    name: "token list",
    summary: "Lists all tokens, oldest first.",
    async run(_given, { withAdmin }) {
      const value = await withAdmin((admin) => admin.tokens.all());
      return { value, text: table(tokenColumns, value) };
    },
  },
  {
    name: "token show",
    summary: "Shows a token and how much of its quotas is used.",
    operand: "ID",
    async run({ operand: id }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.tokens.show(id));
      const { quotas, ...token } = value;
      const used = quotas.length === 0 ? "" : `\n${table(quotaColumns, quotas)}`;
      return { value, text: fieldLines(token) + used };
    },
  },
  {
    name: "token revoke",
    summary: "Revokes a token at once, also on a running server.",
    operand: "ID",
    async run({ operand: id }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.tokens.revoke(id));
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "token reseal",
    summary: "Encrypts what is stored again, with the first key in SECRET_KEY.",
    notes: [
      "To change SECRET_KEY, put the new key before the old one (new,old), restart the server,",
      "run this command, then remove the old key.",
    ],
    async run(_given, { terminal, withStorage }) {
      const value = await withStorage((storage) => storage.reseal());
      const { resealed, texts, failed } = value;
      for (const { kind, id } of failed) {
        terminal.complain(`no key in SECRET_KEY opens what is stored for the ${kind} ${id}`);
      }
      const text = `${resealed} keys and ${texts} texts of conversations encrypted again\n`;
      return { value, text, exitCode: failed.length > 0 ? exitCodes.failure : 0 };
    },
  },
];

async function upstreamKey({ fields }: Given, terminal: Terminal) {
  if (fields.upstream_key === "-") return { upstream_key: await terminal.readInput() };
  const { PARLEY_UPSTREAM_KEY: key = "" } = terminal.env;
  return fields.upstream_key === undefined && key !== "" ? { upstream_key: key } : {};
}
