import { type Command, UsageError } from "../command.ts";
import { fieldLines, table } from "../table.ts";
import { quotaOptions, withoutNone } from "./token-options.ts";

const options = { comment: { value: "TEXT", help: "a note for yourself" }, ...quotaOptions };
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
    summary: "Creates a group: quotas that its tokens share beside their own.",
    operand: "NAME",
    options,
    notes: ["`token create --group NAME` and `token update ID --group NAME` put tokens into it."],
    async run({ fields, operand: name }, { withNewAdmin }) {
      const value = await withNewAdmin((admin) =>
        admin.groups.create({ ...withoutNone(fields), name }),
      );
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "group set",
    summary: "Changes a group at once, also on a running server.",
    operand: "NAME",
    options,
    notes: ["What is left out stays. `none` takes a value away: --money-per-month none."],
    async run({ fields, operand: name }, { withAdmin }) {
      if (Object.keys(fields).length === 0) throw new UsageError("name an option to change");
      const value = await withAdmin((admin) => admin.groups.update(name, withoutNone(fields)));
      return { value, text: fieldLines(value) };
    },
  },
  {
    name: "group list",
    summary: "Lists groups by name, at most 1000.",
    async run(_given, { withAdmin }) {
      const { groups } = await withAdmin((admin) => admin.groups.list({}));
      return { value: groups, text: table(groupColumns, groups) };
    },
  },
  {
    name: "group show",
    summary: "Shows a group and how much of its quotas is used.",
    operand: "NAME",
    async run({ operand: name }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.groups.show(name));
      const { quotas, ...group } = value;
      const used = quotas.length === 0 ? "" : `\n${table(quotaColumns, quotas)}`;
      return { value, text: fieldLines(group) + used };
    },
  },
  {
    name: "group remove",
    summary: "Removes a group without tokens; revoked ones don't count.",
    operand: "NAME",
    async run({ operand: name }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.groups.remove(name));
      return { value, text: `Removed the group ${value.name}.\n` };
    },
  },
];
