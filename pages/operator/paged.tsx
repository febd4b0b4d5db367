import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../shared/texts.ts";
import { pathWith, useAsked } from "./asked.ts";
import { DataTable, type DataTableProps } from "./data-table.tsx";
import { Problem } from "./problem.tsx";

/** On one page, and so in the document. */
const PAGE_ROWS = 50;

interface PagedTableProps<Row> extends Omit<DataTableProps<Row>, "rows" | "isBusy"> {
  /** What is asked, with its filters: `tokens?q=a`. Another path begins at its first page. */
  readonly path: string;
  /** The name of the rows in the answer. */
  readonly list: string;
  /** What to do where there is nothing. */
  readonly empty: ComponentChildren;
  /** Another number asks again, at the same place. */
  readonly version?: number;
}

interface Place {
  readonly path: string;
  /** Where this page and those before it begin. */
  readonly cursors: readonly string[];
}

/** Kept with the entry of the history: Back leads to the page that was left. */
function cursorsAt(path: string): readonly string[] {
  // Cast: only `keepPlace` writes it.
  const place = (history.state as { readonly place?: Place } | null)?.place;
  return place?.path === path ? place.cursors : [];
}

function keepPlace(place: Place): void {
  history.replaceState({ place }, "");
}

interface PageOf<Row> {
  readonly next_cursor: string | null;
  readonly [list: string]: readonly Row[] | string | null;
}

/** A table whose rows come from the server, a page at a time. */
export function PagedTable<Row>(props: PagedTableProps<Row>) {
  const { path, list, empty, version, ...table } = props;
  const [, drawWith] = useState<readonly string[]>();
  const cursors = cursorsAt(path);
  const go = (to: readonly string[]) => {
    keepPlace({ path, cursors: to });
    drawWith(to);
  };
  const asked = useAsked<PageOf<Row>>(
    pathWith(path, { limit: PAGE_ROWS, cursor: cursors.at(-1) }),
    version,
  );
  const { answer, former, problem, isLoading, again } = asked;
  const found = (answer ?? former)?.[list];
  const rows = Array.isArray(found) ? found : [];
  const next = answer?.next_cursor ?? null;
  return (
    <>
      <Problem problem={problem} onAgain={again} />
      {rows.length === 0 && answer === null && isLoading && <p class="quiet">{t("loading")}</p>}
      {answer !== null && rows.length === 0 && cursors.length === 0 && (
        <div class="empty">{empty}</div>
      )}
      {rows.length > 0 && <DataTable {...table} rows={rows} isBusy={isLoading} />}
      {(cursors.length > 0 || next !== null) && (
        <Steps
          number={cursors.length + 1}
          onBack={cursors.length > 0 ? () => go(cursors.slice(0, -1)) : null}
          onNext={next !== null && !isLoading ? () => go([...cursors, next]) : null}
        />
      )}
    </>
  );
}

interface StepsProps {
  readonly number: number;
  readonly onBack: (() => void) | null;
  readonly onNext: (() => void) | null;
}

/** The buttons are never disabled: the focus would be lost at the last page. */
function Steps({ number, onBack, onNext }: StepsProps) {
  return (
    <nav class="row steps" aria-label={t("operator.paged.title")}>
      <button type="button" aria-disabled={onBack === null} onClick={() => onBack?.()}>
        {t("operator.paged.back")}
      </button>
      <span role="status">{t("operator.paged.number", { number })}</span>
      <button type="button" aria-disabled={onNext === null} onClick={() => onNext?.()}>
        {t("operator.paged.next")}
      </button>
    </nav>
  );
}
