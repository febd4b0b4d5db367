import type { Command } from "../command.ts";
import { fieldLines, table } from "../table.ts";

export const routeCommands: readonly Command[] = [
  {
    name: "route set",
    summary: "Sets which upstreams answer for a model, and under which names.",
    operand: "MODEL",
    options: { to: { value: "TARGETS", help: "UPSTREAM:MODEL[@WEIGHT] and more (required)" } },
    notes: [
      'parley route set gpt-4o --to "openai:gpt-4o@3, azure:gpt-4o-eu@1; deepseek:deepseek-chat"',
      "A comma separates targets that share the calls by weight, a semicolon the next resort. The",
      "upstream's name ends at the first colon. A route that is there is replaced.",
    ],
    async run({ fields, operand: model }, { withNewAdmin }) {
      const value = await withNewAdmin((admin) => admin.routes.set(model, fields));
      return { value, text: shown(value) };
    },
  },
  {
    name: "route list",
    summary: "Lists all routes by model.",
    async run(_given, { withAdmin }) {
      const { routes } = await withAdmin((admin) => admin.routes.list());
      return { value: routes, text: table(["model", "to"], routes) };
    },
  },
  {
    name: "route show",
    summary: "Shows the targets of a model.",
    operand: "MODEL",
    async run({ operand: model }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.routes.show(model));
      return { value, text: shown(value) };
    },
  },
  {
    name: "route remove",
    summary: "Removes the route of a model.",
    operand: "MODEL",
    async run({ operand: model }, { withAdmin }) {
      const value = await withAdmin((admin) => admin.routes.remove(model));
      return { value, text: fieldLines(value) };
    },
  },
];

interface Shown {
  readonly model: string;
  readonly to: string;
  readonly stages: readonly (readonly Readonly<Record<string, unknown>>[])[];
}

/** The order in which targets are tried, in a table. */
function shown({ model, to, stages }: Shown): string {
  const rows = stages.flatMap((targets, at) =>
    targets.map(({ upstream, model: name, weight }) => ({
      try: at + 1,
      upstream,
      model: name,
      weight,
    })),
  );
  return `${fieldLines({ model, to })}\n${table(["try", "upstream", "model", "weight"], rows)}`;
}
