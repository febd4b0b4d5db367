import type { ImportedPrices } from "../../core/accounts/accounts.ts";
import { extraFields } from "../../core/accounts/price-fields.ts";
import { ProxyError } from "../../core/errors.ts";
import { type Command, UsageError } from "../command.ts";
import { MAX_LIST_BYTES, parseList } from "../list-json.ts";
import type { LitellmPrices } from "../litellm-prices.ts";
import { fieldLines, printable, table } from "../table.ts";
import type { Terminal } from "../tools.ts";

const priceColumns = ["model", "input", "cached_input", "output"];

export const priceCommands: readonly Command[] = [
  {
    name: "price set",
    summary: "Sets the price of a model, in US dollars per million tokens or per unit.",
    operand: "MODEL",
    options: {
      input: { value: "USD", help: "input tokens (required without a price per unit)" },
      output: { value: "USD", help: "output tokens (required without a price per unit)" },
      "cached-input": { value: "USD", help: "cached input tokens (default: as input)" },
      "cache-write": { value: "USD", help: "input tokens written to a cache (default: as input)" },
      "cache-write-1h": { value: "USD", help: "the same for an hour (default: as --cache-write)" },
      "audio-input": { value: "USD", help: "audio tokens of the input (default: as input)" },
      "audio-output": { value: "USD", help: "audio tokens of the output (default: as output)" },
      reasoning: { value: "USD", help: "reasoning tokens of the output (default: as output)" },
      "flex-input": { value: "USD", help: "input tokens of the flex tier (default: as input)" },
      "flex-cached-input": {
        value: "USD",
        help: "its cached input tokens (default: as its input)",
      },
      "flex-output": { value: "USD", help: "its output tokens (default: as output)" },
      "priority-input": { value: "USD", help: "the same for the priority tier" },
      "priority-cached-input": { value: "USD", help: "the same for the priority tier" },
      "priority-output": { value: "USD", help: "the same for the priority tier" },
      "per-image": { value: "USD", help: "an image that is made or edited" },
      "per-minute": { value: "USD", help: "a minute of audio, transcribed or spoken" },
      "per-million-characters": { value: "USD", help: "a million characters of text to speak" },
      since: { value: "WHEN", help: "when the price begins (default: now)" },
    },
    notes: [
      "A change adds a price. Earlier prices are kept.",
      "If a model has a price per unit and one of tokens, both add up where OpenAI counts both.",
    ],
    async run({ fields, operand: model }, { withNewAdmin }) {
      const value = await withNewAdmin((admin) => admin.prices.set({ ...fields, model }));
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "price list",
    summary: "Lists current prices, in US dollars per million tokens or per unit.",
    options: {
      model: { value: "MODEL", help: "only this model" },
      history: { value: null, help: "also past and future prices" },
    },
    async run({ fields }, { withAdmin }) {
      const { prices } = await withAdmin((admin) => admin.prices.list(fields));
      return { value: prices, text: table(columnsOf(prices), prices) };
    },
  },
  {
    name: "price import",
    summary: "Imports a JSON list of prices: all of them or none.",
    operand: "[FILE]",
    options: {
      default: { value: null, help: "use the list of this release; check it first" },
      format: { value: "FORM", help: "parley (default), or litellm for LiteLLM's price list" },
      provider: { value: "NAME", help: "with litellm: only the models of this provider" },
    },
    notes: [
      'Format: [{"model": "gpt-4o-mini", "input": 0.15, "cached_input": 0.075, "output": 0.6}].',
      "- reads standard input. The output of `parley price list --json` can be imported.",
      "LiteLLM's list is model_prices_and_context_window.json. What it has no price for stays unpriced.",
    ],
    async run({ fields, operand }, { terminal, withNewAdmin }) {
      const { default: shipped = false, ...form } = fields;
      if (shipped === (operand !== "")) throw new UsageError("name a FILE or use --default");
      if (shipped === true) {
        if (Object.keys(form).length > 0) throw new UsageError("--default has a format of its own");
        const value = await withNewAdmin((admin) => admin.prices.importShipped());
        const source = `Prices of ${value.published}, from ${value.source}.\n${value.note}\n`;
        return { value, text: report(value) + source };
      }
      const list = await readList(operand, terminal);
      const value = await withNewAdmin((admin) => admin.prices.import(list, form));
      return { value, text: report(value) };
    },
  },
];

/** Most prices have none of the others. */
function columnsOf(prices: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  const others = Object.values(extraFields);
  const used = others.filter((name) => prices.some((price) => price[name] !== null));
  return [...priceColumns, ...used, "since"];
}

interface Done extends ImportedPrices {
  readonly unpriced?: LitellmPrices["unpriced"];
  readonly left_out?: LitellmPrices["left_out"];
}

function report({ added, unchanged, skipped, unpriced = [], left_out = [] }: Done): string {
  const kinds = left_out.map(({ field, models }) => `${field} (${models})`);
  const lines = [
    `${added} added, ${unchanged} unchanged, ${skipped.length} skipped`,
    ...(skipped.length > 0 ? [`Skipped, have a newer price: ${some(skipped)}`] : []),
    ...(unpriced.length > 0
      ? [`${unpriced.length} without a price that Parley can hold: ${some(unpriced)}`]
      : []),
    ...(kinds.length > 0 ? [`Prices left out, with their models: ${some(kinds)}`] : []),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

/** All of them are printed with --json. */
const MAX_NAMED = 20;

function some(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

async function readList(path: string, terminal: Terminal): Promise<unknown> {
  const name = path === "-" ? "standard input" : path;
  const bytes = Buffer.from(path === "-" ? await terminal.readInput() : terminal.readFile(path));
  if (bytes.length > MAX_LIST_BYTES)
    throw new Error(`${name} has more than ${MAX_LIST_BYTES} bytes`);
  try {
    return parseList(bytes);
  } catch (cause) {
    const problem = BODY_PROBLEMS[cause instanceof ProxyError ? cause.code : ""];
    if (problem === undefined) throw cause;
    throw new Error(`${name} ${problem}`, { cause });
  }
}

/** The texts of these speak of a request. */
const BODY_PROBLEMS: Readonly<Record<string, string>> = {
  body_not_json: "is not JSON",
  body_not_utf8: "is not JSON in UTF-8",
  body_too_deep: "has lists in lists too many levels deep",
};
