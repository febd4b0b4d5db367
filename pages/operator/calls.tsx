import { count } from "../shared/format.ts";
import { t } from "../shared/texts.ts";
import { pathWith } from "./asked.ts";
import { CallTable } from "./calls/call-table.tsx";
import { CallFilterFields, filtersIn } from "./calls/filters.tsx";
import { MAX_ROWS } from "./calls/tail.ts";
import { useTail } from "./calls/use-tail.ts";
import { Problem } from "./problem.tsx";
import type { ViewProps } from "./views.ts";

export function CallsView({ rest }: ViewProps) {
  const filters = filtersIn(rest);
  const mayBeLive = filters.to === undefined;
  const { tail, problem, isLive, setLive, reload, showOlder } = useTail(
    pathWith("calls", filters),
    mayBeLive,
  );
  return (
    <>
      <div class="title">
        <h1>{t("operator.view.calls")}</h1>
        <div class="row">
          {mayBeLive && (
            <button type="button" aria-pressed={isLive} onClick={() => setLive(!isLive)}>
              {t(isLive ? "operator.calls.pause" : "operator.calls.resume")}
            </button>
          )}
          <a href={pathWith("admin/usage/export?format=csv", filters)} download="calls.csv">
            {t("operator.calls.export")}
          </a>
        </div>
      </div>
      <CallFilterFields filters={filters} />
      <Problem problem={problem} onAgain={reload} />
      {tail === null && problem === null && <p class="quiet">{t("loading")}</p>}
      {tail?.rows.length === 0 && <Empty isFiltered={rest.length > 0} />}
      {tail !== null && tail.rows.length > 0 && (
        <>
          <CallTable calls={tail.rows} isBusy={false} />
          <p class="row steps">
            <span class="quiet">
              {t(tail.isDetached ? "operator.calls.detached" : "operator.calls.shown", {
                rows: count(tail.rows.length),
                max: count(MAX_ROWS),
              })}
            </span>
            {tail.next !== null && (
              <button type="button" onClick={showOlder}>
                {t("operator.calls.older")}
              </button>
            )}
          </p>
        </>
      )}
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
