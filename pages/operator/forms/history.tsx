import { t } from "../../shared/texts.ts";
import { pathWith, useAsked } from "../asked.ts";
import { type Change, ChangeDetails } from "../changes/details.tsx";
import { changedFields } from "../changes/fields.ts";
import { DataTable } from "../data-table.tsx";
import { hrefOf } from "../fragment.ts";
import { secondOf } from "../times.ts";
import { wordOr } from "../words.ts";

interface HistoryProps {
  readonly kind: "token" | "group" | "price" | "upstream" | "route";
  readonly subject: string;
  /** Another number asks again. */
  readonly version: number;
}

const SHOWN_CHANGES = 10;

/** What operators changed last; nothing where there is nothing. */
export function History({ kind, subject, version }: HistoryProps) {
  const path = pathWith("changes", { kind, subject, limit: SHOWN_CHANGES });
  const { answer } = useAsked<ChangesOf>(path, version);
  if (answer === null || answer.changes.length === 0) return null;
  const title = t("operator.view.changes");
  return (
    <>
      <h2>{title}</h2>
      <DataTable<Change>
        title={title}
        rows={answer.changes}
        keyOf={({ id }) => String(id)}
        detailOf={(change) => <ChangeDetails change={change} />}
        columns={[
          { key: "at", label: t("operator.time"), cell: ({ at }) => secondOf(at) },
          {
            key: "action",
            label: t("operator.changes.action"),
            cell: ({ action }) => wordOr(`operator.changes.did.${action}`, action),
          },
          {
            key: "fields",
            label: t("operator.changes.field"),
            cell: ({ detail }) =>
              changedFields(detail)
                .map(({ name }) => name)
                .join(", "),
          },
        ]}
      />
      {answer.next_cursor !== null && (
        <p>
          <a href={hrefOf("changes", kind, subject)}>{t("operator.form.all_changes")}</a>
        </p>
      )}
    </>
  );
}

interface ChangesOf {
  readonly changes: readonly Change[];
  readonly next_cursor: string | null;
}
