import { type Command, exitCodes, UsageError } from "../command.ts";
import { fieldLines, table } from "../table.ts";
import { createCommand } from "./token-create.ts";
import { secretShown, tokenOptions, withInput, withoutNone } from "./token-options.ts";

const tokenColumns = [
  "id",
  "name",
  "state",
  "group",
  "hint",
  "created_at",
  "expires_at",
  "models",
  "comment",
];
const quotaColumns = ["quota", "period", "limit", "used", "resets_at"];

export const tokenCommands: readonly Command[] = [
  createCommand,
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
    name: "token update",
    summary: "Changes a token at once, also on a running server.",
    operand: "ID",
    options: { name: { value: "NAME", help: "who it is for" }, ...tokenOptions },
    notes: ["What is left out stays. `none` takes a value away: --tokens-per-day none."],
    async run(given, { terminal, withAdmin }) {
      if (Object.keys(given.fields).length === 0) throw new UsageError("name an option to change");
      const fields = withoutNone(await withInput(given, terminal));
      const value = await withAdmin((admin) => admin.tokens.update(given.operand, fields));
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "token rotate",
    summary: "Gives a token a new secret and shows it once.",
    operand: "ID",
    options: {
      grace: { value: "SPAN", help: "how long the old secret is still accepted: 12h, 7d, 2w" },
    },
    notes: [
      "Without --grace, the old secret ends at once, and so do earlier ones that had a grace.",
      "Usage, quotas and limits go on.",
    ],
    async run({ fields, operand: id }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.tokens.rotate(id, fields));
      return { value, text: secretShown(value) };
    },
  },
  {
    name: "token disable",
    summary: "Refuses a token until it is enabled again.",
    operand: "ID",
    async run({ operand: id }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.tokens.disable(id));
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "token enable",
    summary: "Accepts a disabled token again.",
    operand: "ID",
    async run({ operand: id }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.tokens.enable(id));
      return { value, text: fieldLines(value) };
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
      const { resealed, upstreams, texts, failed } = value;
      for (const { kind, id } of failed) {
        terminal.complain(`no key in SECRET_KEY opens what is stored for the ${kind} ${id}`);
      }
      const text = `${resealed} keys, ${upstreams} upstreams and ${texts} texts of conversations encrypted again\n`;
      return { value, text, exitCode: failed.length > 0 ? exitCodes.failure : 0 };
    },
  },
];
