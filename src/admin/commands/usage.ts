import { type Command, fieldsOf, type Options } from "../command.ts";
import { json, table } from "../table.ts";

const span: Options = {
  from: { value: "WHEN", help: "from this day or time on: 2026-11-01 (UTC), or 7d for a week ago" },
  to: { value: "WHEN", help: "before this day or time" },
  token: { value: "ID", help: "this token only" },
};

const sumColumns = {
  requests: "CALLS",
  prompt_tokens: "INPUT",
  cached_tokens: "CACHED",
  completion_tokens: "OUTPUT",
  total_tokens: "TOKENS",
  cost: "COST USD",
  calls_of_unknown_cost: "UNPRICED CALLS",
};

const keyColumns: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  day: { day: "DAY" },
  model: { model: "MODEL" },
  token: { token: "TOKEN", name: "NAME" },
};

export const usageCommands: readonly Command[] = [
  {
    name: "usage",
    summary: "Sums calls, tokens and cost.",
    operands: [],
    options: { by: { value: "WHAT", help: "day (default), model or token" }, ...span },
    async run(given, terminal, { withDesk }) {
      const { by, usage } = await withDesk(({ admin }) => admin.usage.sum(fieldsOf(given)));
      const columns = { ...keyColumns[by], ...sumColumns };
      await terminal.write(given.json ? json(usage) : table(columns, usage));
    },
  },
  {
    name: "usage export",
    summary: "Writes one row a call, oldest first, to standard output.",
    operands: [],
    options: { format: { value: "FORMAT", help: "csv (default) or jsonl, JSON lines" }, ...span },
    notes: ["--json is the same as --format jsonl."],
    async run(given, terminal, { withDesk }) {
      const asked = given.json ? { format: "jsonl" } : {};
      await withDesk(async ({ admin }) => {
        const { text } = admin.usage.export({ ...asked, ...fieldsOf(given) });
        for await (const piece of text) await terminal.write(piece);
      });
    },
  },
];
