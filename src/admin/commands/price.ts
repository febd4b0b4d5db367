import { type Command, fieldsOf, type Terminal, UsageError } from "../command.ts";
import { facts, json, table } from "../table.ts";

const priceColumns = {
  model: "MODEL",
  input: "INPUT",
  cached_input: "CACHED INPUT",
  output: "OUTPUT",
  since: "SINCE",
};

export const priceCommands: readonly Command[] = [
  {
    name: "price set",
    summary: "Sets what a model costs, in US dollars per million tokens.",
    operands: ["MODEL"],
    options: {
      input: { value: "USD", help: "input tokens (required)" },
      output: { value: "USD", help: "output tokens (required)" },
      "cached-input": { value: "USD", help: "cached input tokens; without it, as input" },
      since: { value: "WHEN", help: "when it begins; without it, now" },
    },
    notes: ["A change begins a new price; what was is never changed."],
    async run(given, terminal, { withDesk }) {
      const [model = ""] = given.operands;
      const price = await withDesk(({ admin }) => admin.prices.set({ ...fieldsOf(given), model }));
      await terminal.write(given.json ? json(price) : facts(price));
    },
  },
  {
    name: "price list",
    summary: "Lists what models cost now, in US dollars per million tokens.",
    operands: [],
    options: {
      model: { value: "MODEL", help: "this model only" },
      history: { value: null, help: "also what was, and what will be" },
    },
    async run(given, terminal, { withDesk }) {
      const { prices } = await withDesk(({ admin }) => admin.prices.list(fieldsOf(given)));
      await terminal.write(given.json ? json(prices) : table(priceColumns, prices));
    },
  },
  {
    name: "price import",
    summary: "Imports a JSON list of prices; all of them or none.",
    operands: ["[FILE]"],
    options: {
      default: { value: null, help: "the list that comes with this release; check it first" },
    },
    notes: [
      'A list: [{"model": "gpt-4o-mini", "input": 0.15, "cached_input": 0.075, "output": 0.6}].',
      "- reads standard input. What `parley price list --json` prints can be imported.",
    ],
    async run(given, terminal, { withDesk }) {
      const { operands, values } = given;
      if ((values.default === true) === (operands.length === 1)) {
        throw new UsageError("name a FILE, or say --default");
      }
      if (values.default === true) return importShipped(given.json, terminal, withDesk);
      const list = await readList(operands[0] ?? "", terminal);
      const done = await withDesk(({ admin }) => admin.prices.import(list));
      await terminal.write(given.json ? json(done) : report(done));
    },
  },
];

async function importShipped(
  asJson: boolean,
  terminal: Terminal,
  withDesk: Parameters<Command["run"]>[2]["withDesk"],
): Promise<void> {
  const done = await withDesk(({ admin }) => admin.prices.importShipped());
  if (asJson) return terminal.write(json(done));
  const { published, source, note } = done;
  await terminal.write(`${report(done)}Prices of ${published}, from ${source}.\n${note}\n`);
}

function report(done: { added: number; unchanged: number; skipped: readonly string[] }): string {
  const skipped = done.skipped.length === 0 ? "" : ` (newer already: ${done.skipped.join(", ")})`;
  return `${done.added} added, ${done.unchanged} unchanged, ${done.skipped.length} skipped${skipped}\n`;
}

async function readList(path: string, terminal: Terminal): Promise<unknown> {
  const text = path === "-" ? await terminal.readInput() : terminal.readFile(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path === "-" ? "standard input" : path} is not JSON`, { cause });
  }
}
