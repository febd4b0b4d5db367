import { outcomes } from "../../core/accounts/ledger-query.ts";
import type { Command, Options } from "../command.ts";
import { withProgress } from "../progress.ts";
import { table } from "../table.ts";
import { viewSchemas } from "../views.ts";

const span: Options = {
  from: { value: "WHEN" },
  to: { value: "WHEN" },
  token: { value: "ID" },
};

const sumColumns = Object.keys(viewSchemas.sum.shape);
const keyColumns = { day: ["day"], model: ["model"], token: ["token", "name"] };

export const usageCommands: readonly Command[] = [
  {
    name: "usage",
    options: { by: { value: "WHAT", choices: ["day", "model", "token"] }, ...span },
    async run({ fields }, { withAdmin, look }) {
      const { by, usage } = await withAdmin((admin) => admin.usage.sum(fields));
      return { value: usage, text: table([...keyColumns[by], ...sumColumns], usage, look) };
    },
  },
  {
    name: "usage export",
    options: {
      format: { value: "FORMAT", choices: ["csv", "jsonl"] },
      ...span,
      model: { value: "MODEL" },
      outcome: { value: "WORD", choices: outcomes },
    },
    async run({ fields, json }, tools) {
      const { terminal, withAdmin } = tools;
      const given = { ...(json ? { format: "jsonl" } : {}), ...fields };
      const write = (count: (lines: number) => void) =>
        withAdmin(async (admin) => {
          for await (const piece of admin.usage.export(given).text) {
            await terminal.write(piece);
            count(piece.split("\n").length - 1);
          }
        });
      // rows on a terminal show by themselves that they come
      const isSeen = (terminal.out?.columns ?? null) !== null;
      await (isSeen
        ? write(() => undefined)
        : withProgress(tools, { task: "usage-export" }, write));
      return null;
    },
  },
];
