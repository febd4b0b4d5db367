import { type Command, UsageError } from "../command.ts";
import { fieldLines, table } from "../table.ts";
import { quotaOptions, withoutNone } from "./token-options.ts";

const options = { comment: { value: "TEXT" }, ...quotaOptions };
const groupColumns = [
  "name",
  "tokens",
  "money_per_month",
  "money_per_day",
  "created_at",
  "comment",
];
const quotaColumns = ["quota", "period", "limit", "used", "resets_at"];

export const groupCommands: readonly Command[] = [
  {
    name: "group create",
    operand: "NAME",
    options,
    async run({ fields, operand: name }, { withNewAdmin, look }) {
      const value = await withNewAdmin((admin) =>
        admin.groups.create({ ...withoutNone(fields), name }),
      );
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "group set",
    operand: "NAME",
    options,
    async run({ fields, operand: name }, { withAdmin, look }) {
      if (Object.keys(fields).length === 0) throw new UsageError("nothing_to_change");
      const value = await withAdmin((admin) => admin.groups.update(name, withoutNone(fields)));
      return { value, text: fieldLines(value, look) };
    },
  },
  {
    name: "group list",
    async run(_given, { withAdmin, look }) {
      const { groups } = await withAdmin((admin) => admin.groups.list({}));
      return { value: groups, text: table(groupColumns, groups, look) };
    },
  },
  {
    name: "group show",
    operand: "NAME",
    async run({ operand: name }, { withAdmin, look }) {
      const value = await withAdmin((admin) => admin.groups.show(name));
      const { quotas, ...group } = value;
      const used = quotas.length === 0 ? "" : `\n${table(quotaColumns, quotas, look)}`;
      return { value, text: fieldLines(group, look) + used };
    },
  },
  {
    name: "group remove",
    operand: "NAME",
    async run({ operand: name }, { withAdmin, say }) {
      const value = await withAdmin((admin) => admin.groups.remove(name));
      return { value, text: `${say("result.group_removed", { name: value.name })}\n` };
    },
  },
];
