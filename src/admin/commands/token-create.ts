import type { Command } from "../command.ts";
import { csvLine } from "../csv.ts";
import { table } from "../table.ts";
import type { Terminal, Tools } from "../tools.ts";
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
  options: {
    name: { value: "NAME" },
    ...tokenOptions,
    like: { value: "ID" },
    count: { value: "N" },
    format: { value: "FORMAT", choices: ["csv"] },
  },
  async run(given, tools) {
    const { terminal, withNewAdmin } = tools;
    const { format, ...fields } = withoutNone(
      withKeyOf(terminal, await withInput(given, terminal)),
    );
    const value = await withNewAdmin((admin) => admin.tokens.create(fields));
    const created = "tokens" in value ? value.tokens : [value];
    const text = format === "csv" ? csvOf(created) : textOf(value, tools);
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

function textOf(value: Created | { readonly tokens: readonly Created[] }, tools: Tools): string {
  const { look, say } = tools;
  const next = `\n${say("result.token_next", { url: urlIn(tools) })}\n`;
  if (!("tokens" in value)) return secretShown(value, tools) + next;
  const rows = value.tokens.map(({ id, name, token }) => ({ id, name, token }));
  return `${table(["id", "name", "token"], rows, look)}\n${say("result.tokens")}\n${next}`;
}

/** Where the server beside this command answers. A mistake in PORT stops no command. */
function urlIn({ settings }: Tools): string {
  try {
    return `http://localhost:${settings(["PORT"]).PORT || DEFAULT_PORT}/v1`;
  } catch {
    return `http://localhost:${DEFAULT_PORT}/v1`;
  }
}

const DEFAULT_PORT = 5_000;
