import { t } from "../../shared/texts.ts";
import { DataTable } from "../data-table.tsx";
import { Problem } from "../problem.tsx";
import { duration } from "../words.ts";
import { type Copy, useCopies } from "./use-copies.ts";

/** The running copies as far as they were met, and whether they are alike. */
export function Copies() {
  const { copies, problem, isLoading, again } = useCopies();
  const alive = Math.max(0, ...copies.map(({ instances }) => instances));
  return (
    <section>
      <h2>{t("operator.system.copies")}</h2>
      <Problem problem={problem} onAgain={again} />
      {copies.length > 0 && (
        <>
          <p>{t("operator.system.met", { seen: copies.length, alive })}</p>
          {differ(copies, ({ settings }) => settings) && (
            <p class="warning">{t("operator.system.settings_differ")}</p>
          )}
          {differ(copies, ({ version }) => version) && (
            <p class="warning">{t("operator.system.versions_differ")}</p>
          )}
          <CopyTable copies={copies} isBusy={isLoading} />
        </>
      )}
      <button type="button" aria-disabled={isLoading} onClick={() => !isLoading && again()}>
        {t("operator.system.look_again")}
      </button>
    </section>
  );
}

/** Enough to see whether two are the same. */
const HASH_CHARACTERS = 8;

const differ = (copies: readonly Copy[], of: (copy: Copy) => string) =>
  new Set(copies.map(of)).size > 1;

interface CopyTableProps {
  readonly copies: readonly Copy[];
  readonly isBusy: boolean;
}

function CopyTable({ copies, isBusy }: CopyTableProps) {
  return (
    <DataTable
      title={t("operator.system.copies")}
      rows={copies}
      keyOf={({ instance }) => instance}
      isBusy={isBusy}
      columns={[
        { key: "instance", label: t("operator.system.instance"), cell: (copy) => copy.instance },
        { key: "version", label: t("operator.system.version"), cell: ({ version }) => version },
        {
          key: "settings",
          label: t("operator.system.settings"),
          cell: ({ settings }) => <code>{settings.slice(0, HASH_CHARACTERS)}</code>,
        },
        { key: "limits", label: t("operator.system.limits"), cell: limitsOf },
        {
          key: "database",
          label: t("operator.system.database"),
          isNumber: true,
          cell: ({ database_ms: ms }) =>
            ms === null ? <span class="warning">{t("status.down")}</span> : duration(ms),
        },
      ]}
    />
  );
}

function limitsOf({ shares_limits: isShared, limits_up: isUp }: Copy) {
  if (!isShared) return t("operator.system.own_limits");
  if (isUp) return t("operator.system.shared_limits");
  return <span class="warning">{t("operator.system.store_away")}</span>;
}
