import { useState } from "preact/hooks";
import { SpentByModel } from "../../holder/tables.tsx";
import type { Spent } from "../../holder/usage.ts";
import { t } from "../../shared/texts.ts";
import { pathWith, useAsked } from "../asked.ts";
import { hrefOf } from "../fragment.ts";
import { UsageCharts } from "../overview/charts.tsx";
import { pathOfSpan, type UsageSeries } from "../overview/series.ts";
import { Problem } from "../problem.tsx";
import { serverNow } from "../server-clock.ts";
import { QuotaTable } from "./quotas.tsx";
import type { TokenDetails, UsedQuota } from "./token.ts";

interface ByModel {
  readonly usage: readonly ({ readonly model: string } & Spent)[];
}

/** Quotas, its own and its group's; 30 days by model and by day; and the way to its calls. */
export function TokenUsage({ token }: { readonly token: TokenDetails }) {
  const { id, group } = token;
  const shared = useAsked<{ readonly quotas: readonly UsedQuota[] }>(
    group === null ? null : `groups/${encodeURIComponent(group)}`,
  );
  const spent = useAsked<ByModel>(pathWith("usage", { by: "model", from: "30d", token: id }));
  const own = { quotas: token.quotas, group: null };
  const ofGroup = { quotas: shared.answer?.quotas ?? [], group };
  return (
    <>
      <QuotaTable parts={[own, ofGroup]} />
      <Problem problem={spent.problem} onAgain={spent.again} />
      {spent.answer?.usage.length === 0 && <p class="quiet">{t("operator.tokens.unused")}</p>}
      {spent.answer !== null && spent.answer.usage.length > 0 && (
        <>
          <SpentByModel title={t("holder.month")} sums={spent.answer.usage} />
          <p>
            <a href={hrefOf("calls", "token", id)}>{t("operator.tokens.calls")}</a>
          </p>
          <ByDay id={id} />
        </>
      )}
    </>
  );
}

function ByDay({ id }: { readonly id: string }) {
  const path = pathOfSpan("usage/series", "30d", serverNow());
  const { answer } = useAsked<UsageSeries>(pathWith(path, { token: id }));
  const [at, setAt] = useState<number | null>(null);
  if (answer === null) return null;
  return (
    <div class="figures">
      <UsageCharts points={answer.points} span="30d" at={at} onAt={setAt} />
    </div>
  );
}
