import { count, money } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { type Column, DataTable } from "../data-table.tsx";
import { FactList } from "../facts.tsx";
import { hrefOf } from "../fragment.ts";
import { secondOf } from "../times.ts";
import { countOrUnknown, duration, wordOr } from "../words.ts";
import type { ListedCall } from "./call.ts";
import { hrefOfCalls } from "./filters.tsx";

export function CallTable({ calls }: { readonly calls: readonly ListedCall[] }) {
  return (
    <DataTable
      title={t("operator.view.calls")}
      columns={columns()}
      rows={calls}
      keyOf={({ id }) => id}
      detailOf={(call) => <CallDetails call={call} />}
    />
  );
}

function columns(): readonly Column<ListedCall>[] {
  const number = (key: string, cell: (call: ListedCall) => string) =>
    ({ key, label: t(`operator.calls.${key}`), isNumber: true, cell }) as const;
  return [
    { key: "time", label: t("operator.time"), cell: ({ time }) => secondOf(time) },
    { key: "outcome", label: t("operator.outcome"), cell: (call) => <Outcome call={call} /> },
    { key: "model", label: t("operator.model"), cell: ({ model }) => model },
    { key: "token", label: t("operator.calls.payer"), cell: payerOf },
    number("tokens", (call) => countOrUnknown(call.total_tokens)),
    number("cost", ({ cost }) => money(cost)),
    number("first_token", (call) => duration(call.first_token_ms)),
    number("duration", (call) => duration(call.duration_ms)),
  ];
}

function Outcome({ call: { outcome, error } }: { readonly call: ListedCall }) {
  const isBad = outcome === "failed" || outcome === "interrupted";
  return (
    <span class={isBad ? "warning" : undefined}>
      {wordOr(`holder.${outcome}`, outcome)}
      {error !== null && ` (${error})`}
    </span>
  );
}

function payerOf({ token, token_name: name, payer }: ListedCall) {
  if (token === null) return wordOr(`operator.calls.by.${payer}`, payer);
  return (
    <a href={hrefOf("tokens", token)} title={name ?? undefined}>
      {name ?? token}
    </a>
  );
}

function CallDetails({ call }: { readonly call: ListedCall }) {
  const { token, model } = call;
  return (
    <>
      <FactList
        facts={[
          [t("operator.calls.request_id"), call.request_id],
          [t("operator.calls.dialect"), call.dialect],
          [t("operator.upstream"), call.upstream],
          [t("operator.calls.answered_by"), call.answered_by],
          [t("operator.calls.tries"), call.tries === null ? null : count(call.tries)],
          [t("operator.calls.prompt_tokens"), countOrUnknown(call.prompt_tokens)],
          [t("operator.calls.completion_tokens"), countOrUnknown(call.completion_tokens)],
          [t("operator.calls.cost"), money(call.cost)],
          [t("operator.calls.error"), call.error],
        ]}
      />
      <p class="row">
        <a href={hrefOfCalls({ model })}>{t("operator.calls.same_model")}</a>
        {token !== null && <a href={hrefOfCalls({ token })}>{t("operator.calls.same_token")}</a>}
      </p>
    </>
  );
}
