import type { Command } from "../command.ts";
import { fieldLines, type Look, table } from "../table.ts";

export const routeCommands: readonly Command[] = [
  {
    name: "route set",
    operand: "MODEL",
    options: { to: { value: "TARGETS" } },
    async run({ fields, operand: model }, { withNewAdmin, look }) {
      const value = await withNewAdmin((admin) => admin.routes.set(model, fields));
      return { value, text: shown(value, look) };
    },
  },
  {
    name: "route list",
    async run(_given, { withAdmin, look }) {
      const { routes } = await withAdmin((admin) => admin.routes.list());
      return { value: routes, text: table(["model", "to"], routes, look) };
    },
  },
  {
    name: "route show",
    operand: "MODEL",
    async run({ operand: model }, { withAdmin, look }) {
      const value = await withAdmin((admin) => admin.routes.show(model));
      return { value, text: shown(value, look) };
    },
  },
  {
    name: "route remove",
    operand: "MODEL",
    async run({ operand: model }, { withAdmin, look }) {
      const value = await withAdmin((admin) => admin.routes.remove(model));
      return { value, text: fieldLines(value, look) };
    },
  },
];

interface Shown {
  readonly model: string;
  readonly to: string;
  readonly stages: readonly (readonly Readonly<Record<string, unknown>>[])[];
}

/** The order in which targets are tried, in a table. */
function shown({ model, to, stages }: Shown, look: Look): string {
  const rows = stages.flatMap((targets, at) =>
    targets.map(({ upstream, model: name, weight }) => ({
      try: at + 1,
      upstream,
      model: name,
      weight,
    })),
  );
  return `${fieldLines({ model, to }, look)}\n${table(["try", "upstream", "model", "weight"], rows, look)}`;
}
