import { outcomes } from "../../core/accounts/ledger-query.ts";
import type { Command, Options } from "../command.ts";
import { table } from "../table.ts";
import { viewSchemas } from "../views.ts";

const span: Options = {
  from: { value: "WHEN", help: "from this day or time on: 2026-11-01 (UTC), or 7d for a week ago" },
  to: { value: "WHEN", help: "before this day or time" },
  token: { value: "ID", help: "only this token" },
};

const sumColumns = Object.keys(viewSchemas.sum.shape);
const keyColumns = { day: ["day"], model: ["model"], token: ["token", "name"] };

export const usageCommands: readonly Command[] = [
  {
    name: "usage",
    summary: "Sums calls, tokens and cost per day, model or token.",
    options: { by: { value: "WHAT", help: "day (default), model or token" }, ...span },
    async run({ fields }, { withAdmin }) {
      const { by, usage } = await withAdmin((admin) => admin.usage.sum(fields));
      return { value: usage, text: table([...keyColumns[by], ...sumColumns], usage) };
    },
  },
  {
    name: "usage export",
    summary: "Writes one row per call to standard output, oldest first.",
    options: {
      format: { value: "FORMAT", help: "csv (default) or jsonl (JSON lines)" },
      ...span,
      model: { value: "MODEL", help: "only calls for this model, or answered by it" },
      outcome: { value: "WORD", help: outcomes.join(", ") },
    },
    notes: ["--json is the same as --format jsonl."],
    async run({ fields, json }, { terminal, withAdmin }) {
      const given = { ...(json ? { format: "jsonl" } : {}), ...fields };
      await withAdmin(async (admin) => {
        for await (const piece of admin.usage.export(given).text) await terminal.write(piece);
      });
      return null;
    },
  },
];
