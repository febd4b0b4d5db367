import { fieldError } from "../../core/common-errors.ts";
import type { Command } from "../command.ts";
import { csvLine } from "../csv.ts";
import { table } from "../table.ts";
import type { Terminal } from "../tools.ts";
import { type Fields, secretShown, tokenOptions, withInput, withoutNone } from "./token-options.ts";

interface Created {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly expires_at: string | null;
}

const csvColumns = ["id", "name", "token", "expires_at"] as const;

export const createCommand: Command = {
  name: "token create",
  summary: "Creates a token, or several, and shows each once.",
  options: {
    name: { value: "NAME", help: "who it is for (required)" },
    ...tokenOptions,
    like: { value: "ID", help: "what is left out is as in this token" },
    count: { value: "N", help: "create so many, called NAME-001 and so on; at most 1000" },
    format: { value: "csv", help: "print CSV: id, name, token, expires_at" },
  },
  notes: [
    "Without --upstream-key, the key is taken from PARLEY_UPSTREAM_KEY if that is set. Read it",
    "with -, so that it stays out of the shell's history. Storing it requires SECRET_KEY.",
    "`none` takes away what --like gives: --tokens-per-day none.",
  ],
  async run(given, { terminal, withNewAdmin }) {
    const { format, ...fields } = withoutNone(
      withKeyOf(terminal, await withInput(given, terminal)),
    );
    if (format !== undefined && format !== "csv") {
      throw fieldError("field_choice", "format", { choices: "csv" });
    }
    const value = await withNewAdmin((admin) => admin.tokens.create(fields));
    const created = "tokens" in value ? value.tokens : [value];
    const text = format === "csv" ? csvOf(created) : textOf(value);
    return { value: "tokens" in value ? value.tokens : value, text };
  },
};

function withKeyOf({ env }: Terminal, fields: Fields): Fields {
  const { PARLEY_UPSTREAM_KEY: key = "" } = env;
  return key === "" ? fields : { upstream_key: key, ...fields };
}

function csvOf(created: readonly Created[]): string {
  const rows = created.map((one) => csvColumns.map((column) => one[column]));
  return [csvColumns, ...rows].map(csvLine).join("");
}

function textOf(value: Created | { readonly tokens: readonly Created[] }): string {
  if (!("tokens" in value)) return secretShown(value);
  const rows = value.tokens.map(({ id, name, token }) => ({ id, name, token }));
  return `${table(["id", "name", "token"], rows)}\nThese are the tokens. They are not shown again.\n`;
}
