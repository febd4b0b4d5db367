import { useMemo } from "preact/hooks";
import { count } from "../shared/format.ts";
import { currentLanguage, t } from "../shared/texts.ts";
import { pathWith } from "./asked.ts";
import { CallTable } from "./calls/call-table.tsx";
import { CallFilterFields, filtersIn } from "./calls/filters.tsx";
import { MAX_ROWS, type Tail } from "./calls/tail.ts";
import { useTail } from "./calls/use-tail.ts";
import { Problem } from "./problem.tsx";
import type { ViewProps } from "./views.ts";

export function CallsView({ rest }: ViewProps) {
  const filters = filtersIn(rest);
  const mayBeLive = filters.to === undefined;
  const calls = useTail(pathWith("calls", filters), mayBeLive);
  const { tail, problem, isLive, isSearching } = calls;
  return (
    <>
      <div class="title">
        <h1>{t("operator.view.calls")}</h1>
        <div class="row">
          {mayBeLive && (
            <button type="button" onClick={() => calls.setLive(!isLive)}>
              {t(isLive ? "operator.calls.pause" : "operator.calls.resume")}
            </button>
          )}
          <a href={pathWith("admin/usage/export?format=csv", filters)} download>
            {t("operator.calls.export")}
          </a>
        </div>
      </div>
      <CallFilterFields filters={filters} />
      <Problem problem={problem} onAgain={calls.reload} />
      {((tail === null && problem === null) || isSearching) && <p class="quiet">{t("loading")}</p>}
      {tail !== null && tail.rows.length === 0 && tail.next === null && (
        <Empty isFiltered={rest.length > 0} />
      )}
      {tail !== null && <Rows tail={tail} onOlder={calls.showOlder} />}
    </>
  );
}

interface RowsProps {
  readonly tail: Tail;
  readonly onOlder: () => void;
}

function Rows({ tail, onOlder }: RowsProps) {
  const { rows, next, isDetached } = tail;
  // the same rows need no second look while the page waits for others
  const table = useMemo(() => <CallTable calls={rows} />, [rows, currentLanguage()]);
  return (
    <>
      {rows.length > 0 && table}
      <p class="row steps">
        {rows.length > 0 && (
          <span class="quiet">
            {t(isDetached ? "operator.calls.detached" : "operator.calls.shown", {
              rows: count(rows.length),
              max: count(MAX_ROWS),
            })}
          </span>
        )}
        {next !== null && (
          <button type="button" onClick={onOlder}>
            {t("operator.calls.older")}
          </button>
        )}
      </p>
    </>
  );
}

function Empty({ isFiltered }: { readonly isFiltered: boolean }) {
  return (
    <div class="empty">
      <p>{t(isFiltered ? "operator.calls.none_found" : "operator.calls.empty")}</p>
      {!isFiltered && <a href="./">{t("visitor.title")}</a>}
    </div>
  );
}
