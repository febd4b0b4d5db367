import type { ImportedPrices } from "../../core/accounts/accounts.ts";
import { extraFields } from "../../core/accounts/price-fields.ts";
import { ProxyError } from "../../core/errors.ts";
import { type Command, CommandError, UsageError } from "../command.ts";
import { MAX_LIST_BYTES, parseList } from "../list-json.ts";
import type { LitellmPrices } from "../litellm-prices.ts";
import { withProgress } from "../progress.ts";
import { fieldLines, printable, table } from "../table.ts";
import type { Texts } from "../texts.ts";
import type { Tools } from "../tools.ts";

type Say = Texts["say"];

const priceColumns = ["model", "input", "cached_input", "output"];

export const priceCommands: readonly Command[] = [
  {
    name: "price set",
    operand: "MODEL",
    options: {
      input: { value: "USD" },
      output: { value: "USD" },
      "cached-input": { value: "USD" },
      "cache-write": { value: "USD" },
      "cache-write-1h": { value: "USD" },
      "audio-input": { value: "USD" },
      "audio-output": { value: "USD" },
      reasoning: { value: "USD" },
      "flex-input": { value: "USD" },
      "flex-cached-input": { value: "USD" },
      "flex-output": { value: "USD" },
      "priority-input": { value: "USD" },
      "priority-cached-input": { value: "USD" },
      "priority-output": { value: "USD" },
      "per-image": { value: "USD" },
      "per-minute": { value: "USD" },
      "per-million-characters": { value: "USD" },
      since: { value: "WHEN" },
    },
    async run({ fields, operand: model }, { withNewAdmin, look }) {
      const value = await withNewAdmin((admin) => admin.prices.set({ ...fields, model }));
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "price list",
    options: {
      model: { value: "MODEL" },
      history: { value: null },
    },
    async run({ fields }, { withAdmin, look }) {
      const { prices } = await withAdmin((admin) => admin.prices.list(fields));
      return { value: prices, text: table(columnsOf(prices), prices, look) };
    },
  },
  {
    name: "price import",
    operand: "[FILE]",
    options: {
      default: { value: null },
      format: { value: "FORM", choices: ["parley", "litellm"] },
      provider: { value: "NAME" },
    },
    async run({ fields, operand }, tools) {
      const { withNewAdmin, say } = tools;
      const { default: shipped = false, ...form } = fields;
      if (shipped === (operand !== "")) throw new UsageError("file_or_default");
      if (shipped === true) {
        if (Object.keys(form).length > 0) throw new UsageError("default_alone");
        const value = await withNewAdmin((admin) => admin.prices.importShipped());
        const { published, source } = value;
        const origin = say("result.prices_shipped", { published, source });
        return { value, text: `${report(value, say)}${origin}\n` };
      }
      const list = await readList(operand, tools);
      const value = await withProgress(tools, { task: "price-import" }, (count) => {
        count(sizeOfList(list));
        return withNewAdmin((admin) => admin.prices.import(list, form));
      });
      return { value, text: report(value, say) };
    },
  },
];

/** Parley's list is an array, LiteLLM's an object. */
function sizeOfList(list: unknown): number {
  return typeof list === "object" && list !== null ? Object.keys(list).length : 0;
}

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

function report(done: Done, say: Say): string {
  const { added, unchanged, skipped, unpriced = [], left_out = [] } = done;
  const kinds = left_out.map(({ field, models }) => `${field} (${models})`);
  const named = (key: string, names: readonly string[]) =>
    names.length === 0
      ? []
      : [say(`result.${key}`, { number: names.length, names: some(names, say) })];
  const lines = [
    say("result.prices", { added, unchanged, skipped: skipped.length }),
    ...named("prices_skipped", skipped),
    ...named("prices_unpriced", unpriced),
    ...named("prices_left_out", kinds),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

/** All of them are printed with --json. */
const MAX_NAMED = 20;

function some(names: readonly string[], say: Say): string {
  const more = names.length - MAX_NAMED;
  const shown = names.slice(0, MAX_NAMED).join(", ");
  return more > 0 ? say("result.and_more", { names: shown, more }) : shown;
}

async function readList(path: string, { terminal, say }: Tools): Promise<unknown> {
  const name = path === "-" ? say("result.standard_input") : path;
  const bytes = Buffer.from(path === "-" ? await terminal.readInput() : terminal.readFile(path));
  if (bytes.length > MAX_LIST_BYTES) {
    throw new CommandError("list_too_large", { name, max: MAX_LIST_BYTES });
  }
  try {
    return parseList(bytes);
  } catch (cause) {
    throw listProblem(name, cause);
  }
}

function listProblem(name: string, cause: unknown): unknown {
  const code = cause instanceof ProxyError ? cause.code : "";
  return BODY_PROBLEMS.has(code) ? new CommandError(`list_${code}`, { name }, { cause }) : cause;
}

/** The texts of these speak of a request. */
const BODY_PROBLEMS: ReadonlySet<string> = new Set([
  "body_not_json",
  "body_not_utf8",
  "body_too_deep",
]);
