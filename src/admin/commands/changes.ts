import { changeKinds } from "../../core/reports/changes.ts";
import type { Command } from "../command.ts";
import { table } from "../table.ts";

const columns = ["at", "kind", "subject", "action", "change"];

export const changesCommand: Command = {
  name: "changes",
  options: {
    kind: { value: "KIND", choices: changeKinds },
    subject: { value: "NAME" },
    limit: { value: "NUMBER" },
  },
  async run({ fields }, { withAdmin, look, say }) {
    const { changes } = await withAdmin((admin) => admin.reports.changes(fields));
    const rows = changes.map(({ detail, ...one }) => ({
      ...one,
      change: inWords(detail, say("result.no_value")),
    }));
    return { value: changes, text: table(columns, rows, look) };
  },
};

interface Detail {
  readonly name?: string | undefined;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** `input: 1 -> 2, output: 3 -> 4` */
function inWords({ name, before, after }: Detail, none: string): string {
  const fields = Object.keys({ ...before, ...after }).map((field) => {
    const [was, is] = [before, after].map((facts) => shown(facts?.[field], none));
    if (before === null) return `${field}: ${is}`;
    return after === null ? `${field}: ${was}` : `${field}: ${was} -> ${is}`;
  });
  return [...(name === undefined ? [] : [`(${name})`]), fields.join(", ")].join(" ").trimEnd();
}

function shown(value: unknown, none: string): string {
  if (value === null || value === undefined) return none;
  return typeof value === "string" ? value : JSON.stringify(value);
}
