import { type Command, exitCodes, UsageError } from "../command.ts";
import { fieldLines, table } from "../table.ts";
import { upstreamFields, upstreamOptions } from "./upstream-options.ts";

const columns = ["name", "kind", "url", "models", "key_count", "concurrency", "proxy"];

export const upstreamCommands: readonly Command[] = [
  {
    name: "upstream add",
    operand: "NAME",
    options: upstreamOptions,
    async run(given, { terminal, withNewAdmin, look }) {
      const fields = await upstreamFields(given, terminal);
      const added = { ...fields, name: given.operand };
      const value = withoutState(await withNewAdmin((admin) => admin.upstreams.add(added)));
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "upstream set",
    operand: "NAME",
    options: upstreamOptions,
    async run(given, { terminal, withAdmin, look }) {
      if (Object.keys(given.fields).length === 0) throw new UsageError("nothing_to_change");
      const fields = await upstreamFields(given, terminal);
      const value = withoutState(
        await withAdmin((admin) => admin.upstreams.update(given.operand, fields)),
      );
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "upstream list",
    async run(_given, { withAdmin, look }) {
      const { upstreams } = await withAdmin((admin) => admin.upstreams.list());
      const value = upstreams.map(withoutState);
      return { value, text: table(columns, value, look) };
    },
  },
  {
    name: "upstream show",
    operand: "NAME",
    async run({ operand: name }, { withAdmin, look }) {
      const value = withoutState(await withAdmin((admin) => admin.upstreams.show(name)));
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "upstream test",
    operand: "NAME",
    options: {
      paid: { value: null },
      model: { value: "MODEL" },
    },
    async run({ operand: name, fields }, { withAdmin, look, say }) {
      const value = await withAdmin((admin) => admin.upstreams.test(name, fields));
      const text =
        value.asked === null ? `${say("result.nothing_free")}\n` : fieldLines(value, look);
      return { value, text, exitCode: value.ok === true ? 0 : exitCodes.failure };
    },
  },
  {
    name: "upstream remove",
    operand: "NAME",
    async run({ operand: name }, { withAdmin, look }) {
      const value = await withAdmin((admin) => admin.upstreams.remove(name));
      return { value, text: fieldLines(value, look) };
    },
  },
];

/** This process makes no calls, so it has no breakers. */
function withoutState<T extends { readonly state: unknown; readonly retry_after_seconds: unknown }>(
  upstream: T,
): Omit<T, "state" | "retry_after_seconds"> {
  const { state: _state, retry_after_seconds: _retryAfter, ...rest } = upstream;
  return rest;
}
