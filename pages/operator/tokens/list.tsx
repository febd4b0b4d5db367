import { useId, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { pathWith, useSettled } from "../asked.ts";
import type { Column } from "../data-table.tsx";
import { Title } from "../forms/title.tsx";
import { hrefOf } from "../fragment.ts";
import { PagedTable } from "../paged.tsx";
import { secondOf } from "../times.ts";
import { StateMark } from "./state-mark.tsx";
import { type Token, tokenStates } from "./token.ts";

const orders = ["newest", "oldest", "name"] as const;
/** As the API takes it. */
const MAX_FIND_CHARACTERS = 200;

interface Filters {
  readonly q: string;
  readonly order: string;
  readonly state: string;
}

/** Back from a token, the list is as it was left. */
let kept: Filters = { q: "", order: "newest", state: "" };

export function TokenList() {
  const [filters, setFilters] = useState(kept);
  const change = (part: Partial<Filters>) => {
    kept = { ...filters, ...part };
    setFilters(kept);
  };
  const q = useSettled(filters.q.trim());
  const isFiltered = q !== "" || filters.state !== "";
  return (
    <>
      <Title>{t("operator.view.tokens")}</Title>
      <FilterRow filters={filters} onChange={change} />
      <TokenTable
        path={pathWith("tokens", { ...filters, q })}
        empty={
          isFiltered ? (
            t("operator.tokens.none_found")
          ) : (
            <>
              {t("operator.tokens.empty")}{" "}
              <a href={hrefOf("tokens", "new")}>{t("operator.tokens.new")}</a>
            </>
          )
        }
      />
    </>
  );
}

interface FilterRowProps {
  readonly filters: Filters;
  readonly onChange: (part: Partial<Filters>) => void;
}

function FilterRow({ filters, onChange }: FilterRowProps) {
  const id = useId();
  return (
    <div class="filters">
      <div class="wide">
        <label for={`${id}-q`}>{t("operator.form.find")}</label>
        <input
          id={`${id}-q`}
          type="search"
          class="whole"
          maxLength={MAX_FIND_CHARACTERS}
          placeholder={t("operator.tokens.find_hint")}
          value={filters.q}
          onInput={({ currentTarget }) => onChange({ q: currentTarget.value })}
        />
      </div>
      <div>
        <label for={`${id}-state`}>{t("operator.tokens.state")}</label>
        <select
          id={`${id}-state`}
          value={filters.state}
          onChange={({ currentTarget }) => onChange({ state: currentTarget.value })}
        >
          <option value="">{t("operator.all")}</option>
          {tokenStates.map((state) => (
            <option key={state} value={state}>
              {t(`operator.tokens.is.${state}`)}
            </option>
          ))}
        </select>
      </div>
      <div>
        <label for={`${id}-order`}>{t("operator.tokens.order")}</label>
        <select
          id={`${id}-order`}
          value={filters.order}
          onChange={({ currentTarget }) => onChange({ order: currentTarget.value })}
        >
          {orders.map((order) => (
            <option key={order} value={order}>
              {t(`operator.tokens.by.${order}`)}
            </option>
          ))}
        </select>
      </div>
      <a class="button main" href={hrefOf("tokens", "new")}>
        {t("operator.tokens.new")}
      </a>
    </div>
  );
}

interface TokenTableProps {
  readonly path: string;
  readonly empty: preact.ComponentChildren;
}

export function TokenTable({ path, empty }: TokenTableProps) {
  const columns: readonly Column<Token>[] = [
    { key: "name", label: t("operator.form.field.name"), cell: ({ name }) => name },
    {
      key: "state",
      label: t("operator.tokens.state"),
      cell: ({ state }) => <StateMark state={state} />,
    },
    { key: "hint", label: t("operator.tokens.hint"), cell: ({ hint }) => <code>{hint}</code> },
    { key: "group", label: t("operator.form.field.group"), cell: ({ group }) => group ?? "–" },
    {
      key: "expires",
      label: t("operator.form.field.expires"),
      cell: ({ expires_at: at }) => (at === null ? "–" : secondOf(at)),
    },
    {
      key: "created",
      label: t("operator.form.created"),
      cell: (token) => secondOf(token.created_at),
    },
    { key: "comment", label: t("operator.form.field.comment"), cell: ({ comment }) => comment },
  ];
  return (
    <PagedTable<Token>
      title={t("operator.view.tokens")}
      path={path}
      list="tokens"
      columns={columns}
      keyOf={({ id }) => id}
      linkOf={({ id }) => hrefOf("tokens", id)}
      empty={empty}
    />
  );
}
