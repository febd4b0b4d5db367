import { moment } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { pathWith, useAsked } from "../asked.ts";
import { DataTable } from "../data-table.tsx";

interface Change {
  readonly id: string | number;
  readonly at: string;
  readonly action: string;
  readonly detail: unknown;
}

interface HistoryProps {
  readonly kind: "token" | "group" | "price" | "upstream" | "route";
  readonly subject: string;
  /** Another number asks again. */
  readonly version: number;
}

const SHOWN_CHANGES = 20;

/** What operators changed last. Nothing where that is not recorded. */
export function History({ kind, subject, version }: HistoryProps) {
  const path = pathWith("changes", { kind, subject, limit: SHOWN_CHANGES });
  const { answer } = useAsked<{ readonly changes: readonly Change[] }>(path, version);
  const changes = answer?.changes ?? [];
  if (changes.length === 0) return null;
  const columns = [
    { key: "at", label: t("operator.form.at"), cell: ({ at }: Change) => moment(at) },
    { key: "action", label: t("operator.form.action"), cell: ({ action }: Change) => action },
    {
      key: "detail",
      label: t("operator.form.detail"),
      cell: ({ detail }: Change) => <span class="detail">{linesOf(detail).join("\n")}</span>,
    },
  ];
  return (
    <>
      <h2>{t("operator.form.history")}</h2>
      <DataTable
        title={t("operator.form.history")}
        columns={columns}
        rows={changes}
        keyOf={({ id }) => String(id)}
      />
    </>
  );
}

function linesOf(detail: unknown): readonly string[] {
  return Object.entries(Object(detail)).map(([name, value]) => {
    const { before, after } = Object(value);
    const isChange = before !== undefined || after !== undefined;
    return `${name}: ${isChange ? `${shown(before)} → ${shown(after)}` : shown(value)}`;
  });
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
