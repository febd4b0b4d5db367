import { type Command, UsageError } from "../command.ts";
import { fieldLines, table } from "../table.ts";
import type { Terminal } from "../tools.ts";

const priceColumns = ["model", "input", "cached_input", "output", "since"];

export const priceCommands: readonly Command[] = [
  {
    name: "price set",
    summary: "Sets the price of a model, in US dollars per million tokens.",
    operand: "MODEL",
    options: {
      input: { value: "USD", help: "input tokens (required)" },
      output: { value: "USD", help: "output tokens (required)" },
      "cached-input": { value: "USD", help: "cached input tokens (default: as input)" },
      since: { value: "WHEN", help: "when the price begins (default: now)" },
    },
    notes: ["A change adds a price. Earlier prices are kept."],
    async run({ fields, operand: model }, { withNewAdmin }) {
      const value = await withNewAdmin((admin) => admin.prices.set({ ...fields, model }));
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "price list",
    summary: "Lists current prices, in US dollars per million tokens.",
    options: {
      model: { value: "MODEL", help: "only this model" },
      history: { value: null, help: "also past and future prices" },
    },
    async run({ fields }, { withAdmin }) {
      const { prices } = await withAdmin((admin) => admin.prices.list(fields));
      return { value: prices, text: table(priceColumns, prices) };
    },
  },
  {
    name: "price import",
    summary: "Imports a JSON list of prices: all of them or none.",
    operand: "[FILE]",
    options: {
      default: { value: null, help: "use the list of this release; check it first" },
    },
    notes: [
      'Format: [{"model": "gpt-4o-mini", "input": 0.15, "cached_input": 0.075, "output": 0.6}].',
      "- reads standard input. The output of `parley price list --json` can be imported.",
    ],
    async run({ fields, operand }, { terminal, withNewAdmin }) {
      const shipped = fields.default === true;
      if (shipped === (operand !== "")) throw new UsageError("name a FILE or use --default");
      if (shipped) {
        const value = await withNewAdmin((admin) => admin.prices.importShipped());
        const source = `Prices of ${value.published}, from ${value.source}.\n${value.note}\n`;
        return { value, text: report(value) + source };
      }
      const list = await readList(operand, terminal);
      const value = await withNewAdmin((admin) => admin.prices.import(list));
      return { value, text: report(value) };
    },
  },
];

function report(done: { added: number; unchanged: number; skipped: readonly string[] }): string {
  const { added, unchanged, skipped } = done;
  const names = skipped.length === 0 ? "" : ` (have a newer price: ${skipped.join(", ")})`;
  return `${added} added, ${unchanged} unchanged, ${skipped.length} skipped${names}\n`;
}

async function readList(path: string, terminal: Terminal): Promise<unknown> {
  const text = path === "-" ? await terminal.readInput() : terminal.readFile(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path === "-" ? "standard input" : path} is not JSON`, { cause });
  }
}
