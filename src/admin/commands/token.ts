import { tokenOrders, tokenStates } from "../../core/reports/token-search.ts";
import { type Command, exitCodes, UsageError } from "../command.ts";
import type { Admin } from "../operations.ts";
import { fieldLines, table } from "../table.ts";
import { createCommand } from "./token-create.ts";
import { type Fields, secretShown, tokenOptions, withInput, withoutNone } from "./token-options.ts";

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

type Tokens = Awaited<ReturnType<Admin["tokens"]["list"]>>["tokens"];

async function allPages({ tokens }: Admin, fields: Fields): Promise<Tokens> {
  const all: Tokens = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await tokens.list({ ...fields, cursor });
    all.push(...page.tokens);
    cursor = page.next_cursor;
  }
  return all;
}

export const tokenCommands: readonly Command[] = [
  createCommand,
  {
    name: "token list",
    options: {
      search: { value: "TEXT", field: "q" },
      state: { value: "STATE", choices: tokenStates },
      group: { value: "NAME" },
      order: { value: "ORDER", choices: tokenOrders },
    },
    async run({ fields }, { withAdmin, look }) {
      const value = await withAdmin((admin) => allPages(admin, { order: "oldest", ...fields }));
      return { value, text: table(tokenColumns, value, look) };
    },
  },
  {
    name: "token show",
    operand: "ID",
    async run({ operand: id }, { withAdmin, look }) {
      const value = await withAdmin((admin) => admin.tokens.show(id));
      const { quotas, ...token } = value;
      const used = quotas.length === 0 ? "" : `\n${table(quotaColumns, quotas, look)}`;
      return { value, text: fieldLines(token, look) + used };
    },
  },
  {
    name: "token update",
    operand: "ID",
    options: { name: { value: "NAME" }, ...tokenOptions },
    async run(given, { terminal, withAdmin, look }) {
      if (Object.keys(given.fields).length === 0) throw new UsageError("nothing_to_change");
      const fields = withoutNone(await withInput(given, terminal));
      const value = await withAdmin((admin) => admin.tokens.update(given.operand, fields));
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "token rotate",
    operand: "ID",
    options: {
      grace: { value: "SPAN" },
    },
    async run({ fields, operand: id }, tools) {
      const value = await tools.withAdmin((admin) => admin.tokens.rotate(id, fields));
      return { value, text: secretShown(value, tools) };
    },
  },
  {
    name: "token disable",
    operand: "ID",
    async run({ operand: id }, { withAdmin, look }) {
      const value = await withAdmin((admin) => admin.tokens.disable(id));
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "token enable",
    operand: "ID",
    async run({ operand: id }, { withAdmin, look }) {
      const value = await withAdmin((admin) => admin.tokens.enable(id));
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "token revoke",
    operand: "ID",
    async run({ operand: id }, { withAdmin, look }) {
      const value = await withAdmin((admin) => admin.tokens.revoke(id));
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "token reseal",
    async run(_given, { terminal, withStorage, say }) {
      const value = await withStorage((storage) => storage.reseal());
      const { resealed, upstreams, texts, failed } = value;
      for (const { kind, id } of failed) {
        terminal.complain(say(`result.not_opened.${kind}`, { id }));
      }
      const text = `${say("result.resealed", { keys: resealed, upstreams, texts })}\n`;
      return { value, text, exitCode: failed.length > 0 ? exitCodes.failure : 0 };
    },
  },
];
