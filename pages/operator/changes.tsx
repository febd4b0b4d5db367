import { t } from "../shared/texts.ts";
import { pathWith } from "./asked.ts";
import { type Change, ChangeDetails, ChangedThing } from "./changes/details.tsx";
import { FilterChoice, FilterText } from "./filter-field.tsx";
import { hrefOf } from "./fragment.ts";
import { PagedTable } from "./paged.tsx";
import { secondOf } from "./times.ts";
import type { ViewProps } from "./views.ts";
import { wordOr } from "./words.ts";

const kinds = ["token", "group", "price", "upstream", "route"] as const;
const ANY = "any";

/** `#/changes/token/3f2a`: the kind, and what was changed. */
export function ChangesView({ rest }: ViewProps) {
  const [chosen = ANY, subject = ""] = rest;
  const kind = chosen === ANY ? "" : chosen;
  const go = (toKind: string, toSubject: string) => {
    location.hash = hrefOf("changes", toKind || ANY, ...(toSubject === "" ? [] : [toSubject]));
  };
  return (
    <>
      <h1>{t("operator.view.changes")}</h1>
      <div class="filters">
        <FilterChoice
          label={t("operator.changes.kind")}
          value={kind}
          choices={kinds.map((one) => [one, t(`operator.changes.of.${one}`)])}
          onChange={(wanted) => go(wanted, subject)}
        />
        <FilterText
          label={t("operator.changes.subject")}
          value={subject}
          onChange={(wanted) => go(kind, wanted)}
        />
        {(kind !== "" || subject !== "") && (
          <a href={hrefOf("changes")}>{t("operator.no_filters")}</a>
        )}
      </div>
      <PagedTable<Change>
        title={t("operator.view.changes")}
        path={pathWith("changes", { kind, subject })}
        list="changes"
        keyOf={({ id }) => id}
        detailOf={(change) => <ChangeDetails change={change} />}
        empty={t(kind + subject === "" ? "operator.changes.empty" : "operator.changes.none_found")}
        columns={[
          { key: "at", label: t("operator.time"), cell: ({ at }) => secondOf(at) },
          {
            key: "kind",
            label: t("operator.changes.kind"),
            cell: (change) => wordOr(`operator.changes.of.${change.kind}`, change.kind),
          },
          {
            key: "subject",
            label: t("operator.changes.subject"),
            cell: (change) => <ChangedThing change={change} />,
          },
          {
            key: "action",
            label: t("operator.changes.action"),
            cell: ({ action }) => wordOr(`operator.changes.did.${action}`, action),
          },
        ]}
      />
    </>
  );
}
