import { type Command, exitCodes, UsageError } from "../command.ts";
import { fieldLines, table } from "../table.ts";
import { upstreamFields, upstreamOptions } from "./upstream-options.ts";

const columns = ["name", "kind", "url", "models", "key_count", "concurrency", "proxy"];

export const upstreamCommands: readonly Command[] = [
  {
    name: "upstream add",
    summary: "Adds an upstream, in addition to the one in OPENAI_URL.",
    operand: "NAME",
    options: upstreamOptions,
    notes: [
      "NAME is of a-z, 0-9 and -. Keys, headers and proxy are stored encrypted, which requires",
      "SECRET_KEY, and are never shown. Running servers use it within a second.",
    ],
    async run(given, { terminal, withNewAdmin }) {
      const fields = await upstreamFields(given, terminal);
      const added = { ...fields, name: given.operand };
      const value = withoutState(await withNewAdmin((admin) => admin.upstreams.add(added)));
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "upstream set",
    summary: "Changes an upstream at once, also on a running server.",
    operand: "NAME",
    options: upstreamOptions,
    notes: [
      "What is left out stays. `none` takes a value away: --proxy none, --key none.",
      "--key and --header replace all keys and all headers.",
    ],
    async run(given, { terminal, withAdmin }) {
      if (Object.keys(given.fields).length === 0) throw new UsageError("name an option to change");
      const fields = await upstreamFields(given, terminal);
      const value = withoutState(
        await withAdmin((admin) => admin.upstreams.update(given.operand, fields)),
      );
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "upstream list",
    summary: "Lists all upstreams; `default` is the one in OPENAI_URL.",
    async run(_given, { withAdmin }) {
      const { upstreams } = await withAdmin((admin) => admin.upstreams.list());
      const value = upstreams.map(withoutState);
      return { value, text: table(columns, value) };
    },
  },
  {
    name: "upstream show",
    summary: "Shows an upstream, without its keys and headers.",
    operand: "NAME",
    async run({ operand: name }, { withAdmin }) {
      const value = withoutState(await withAdmin((admin) => admin.upstreams.show(name)));
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "upstream test",
    summary: "Asks an upstream for its list of models, which is free.",
    operand: "NAME",
    options: {
      paid: { value: null, help: "ask a model for one token instead, which the upstream charges" },
      model: { value: "MODEL", help: "with --paid: which model (default: the first it lists)" },
    },
    notes: ["With several keys, it uses the first. Exit code 1: it failed, or asked nothing."],
    async run({ operand: name, fields }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.upstreams.test(name, fields));
      const text = value.asked === null ? NOTHING_FREE : fieldLines(value);
      return { value, text, exitCode: value.ok === true ? 0 : exitCodes.failure };
    },
  },
  {
    name: "upstream remove",
    summary: "Removes an upstream that no route names, with its keys.",
    operand: "NAME",
    async run({ operand: name }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.upstreams.remove(name));
      return { value, text: fieldLines(value) };
    },
  },
];

const NOTHING_FREE =
  "Nothing was asked: this upstream has no free request. Use --paid to ask for one token.\n";

/** This process makes no calls, so it has no breakers. */
function withoutState<T extends { readonly state: unknown; readonly retry_after_seconds: unknown }>(
  upstream: T,
): Omit<T, "state" | "retry_after_seconds"> {
  const { state: _state, retry_after_seconds: _retryAfter, ...rest } = upstream;
  return rest;
}
