import { t } from "../../shared/texts.ts";
import { FilterChoice, FilterText, FilterTime } from "../filter-field.tsx";
import { hrefOf } from "../fragment.ts";

const names = ["token", "model", "outcome", "from", "to"] as const;
type FilterName = (typeof names)[number];
export type CallFilters = Readonly<Partial<Record<FilterName, string>>>;

const outcomes = ["completed", "interrupted", "canceled", "failed", "refused"] as const;

/** `#/calls/outcome/failed/token/3f2a`: names and values in turn. */
export function filtersIn(rest: readonly string[]): CallFilters {
  const found = names.flatMap((name) => {
    const at = rest.findIndex((word, index) => index % 2 === 0 && word === name);
    const value = at < 0 ? undefined : rest[at + 1];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

export function hrefOfCalls(filters: CallFilters): string {
  return hrefOf("calls", ...names.flatMap((name) => wordsOf(name, filters[name] ?? "")));
}

const wordsOf = (name: FilterName, value: string) => (value === "" ? [] : [name, value]);

export function CallFilterFields({ filters }: { readonly filters: CallFilters }) {
  const change = (part: CallFilters) => {
    location.hash = hrefOfCalls({ ...filters, ...part });
  };
  return (
    <div class="filters">
      <FilterText
        label={t("operator.calls.token_id")}
        value={filters.token ?? ""}
        onChange={(token) => change({ token })}
      />
      <FilterText
        label={t("operator.model")}
        value={filters.model ?? ""}
        onChange={(model) => change({ model })}
      />
      <FilterChoice
        label={t("operator.outcome")}
        value={filters.outcome ?? ""}
        choices={outcomes.map((outcome) => [outcome, t(`holder.${outcome}`)])}
        onChange={(outcome) => change({ outcome })}
      />
      {(["from", "to"] as const).map((name) => (
        <FilterTime
          key={name}
          label={t(`operator.calls.${name}`)}
          iso={filters[name] ?? ""}
          onChange={(time) => change({ [name]: time })}
        />
      ))}
      {Object.keys(filters).length > 0 && <a href={hrefOf("calls")}>{t("operator.no_filters")}</a>}
    </div>
  );
}
