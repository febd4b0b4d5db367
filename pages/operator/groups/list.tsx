import { count, money } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import type { Column } from "../data-table.tsx";
import { Title } from "../forms/title.tsx";
import { WholeTable } from "../forms/whole-table.tsx";
import { hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { secondOf } from "../times.ts";
import { fieldLabel } from "../tokens/options.tsx";
import { quotaNames } from "../tokens/token.ts";
import type { Group } from "./group.ts";

/** As one answer has. */
const MAX_GROUPS = 1_000;

export function GroupList() {
  const { answer, problem, again } = useAsked<{ readonly groups: readonly Group[] }>(
    `groups?limit=${MAX_GROUPS}`,
  );
  const create = (
    <a class="button main" href={hrefOf("groups", "new")}>
      {t("operator.groups.new")}
    </a>
  );
  return (
    <>
      <div class="row head">
        <Title>{t("operator.view.groups")}</Title>
        {create}
      </div>
      <Problem problem={problem} onAgain={again} />
      {answer !== null && (
        <WholeTable
          title={t("operator.view.groups")}
          rows={answer.groups}
          columns={columns()}
          keyOf={({ name }) => name}
          linkOf={({ name }) => hrefOf("groups", "show", name)}
          textOf={({ name, comment }) => `${name}\n${comment}`}
          empty={t("operator.groups.empty")}
        />
      )}
    </>
  );
}

function columns(): readonly Column<Group>[] {
  return [
    { key: "name", label: fieldLabel("name"), cell: ({ name }) => name },
    {
      key: "tokens",
      label: t("operator.view.tokens"),
      isNumber: true,
      cell: ({ tokens }) => count(tokens),
    },
    { key: "quotas", label: t("holder.quotas"), cell: quotasOf },
    { key: "created", label: t("operator.form.created"), cell: (one) => secondOf(one.created_at) },
    { key: "comment", label: fieldLabel("comment"), cell: ({ comment }) => comment },
  ];
}

function quotasOf(group: Group): string {
  const set = quotaNames.flatMap((name) => {
    const value = group[name];
    if (value === null) return [];
    return [`${fieldLabel(name)}: ${typeof value === "string" ? money(value) : count(value)}`];
  });
  return set.length === 0 ? "–" : set.join(" · ");
}
