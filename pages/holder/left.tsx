import { count, labeled, money, shortMoment } from "../shared/format.ts";
import { Meter } from "../shared/meter.tsx";
import { t } from "../shared/texts.ts";
import type { Limit, Quota } from "./usage.ts";

/** Money comes as text, counts as numbers. */
function amount(value: number | string): string {
  return typeof value === "string" ? money(value) : count(value);
}

interface LeftProps extends Pick<Quota, "limit"> {
  readonly name: string;
  readonly used: number | string | null;
  readonly left: number | string | null;
  readonly resetsAt: string | null;
}

function Left({ name, limit, used, left, resetsAt }: LeftProps) {
  const words = left === null ? t("unknown") : amount(left);
  return (
    <Meter
      label={name}
      words={t("visitor.left", { left: words, limit: amount(limit) })}
      max={Number(limit)}
      value={left === null ? null : Number(left)}
    >
      {used !== null && labeled(t("holder.used"), amount(used))}
      {resetsAt !== null && ` · ${labeled(t("holder.returns"), shortMoment(resetsAt))}`}
    </Meter>
  );
}

function quotaName({ quota, period, group }: Quota): string {
  const own = `${t(`holder.${quota}`)} · ${t(`window.${period}`)}`;
  return group === null ? own : own + t("holder.group", { name: group });
}

export function Quotas({ quotas }: { readonly quotas: readonly Quota[] }) {
  return (
    <section>
      <h2>{t("holder.quotas")}</h2>
      <div class="meters wide">
        {quotas.map((one) => (
          <Left key={quotaName(one)} {...one} name={quotaName(one)} resetsAt={one.resets_at} />
        ))}
      </div>
    </section>
  );
}

function limitName({ counts, window }: Limit): string {
  const what = t(`holder.${counts}`);
  return window === null ? what : `${what} · ${t(`window.${window}`)}`;
}

export function Limits({ limits }: { readonly limits: readonly Limit[] }) {
  return (
    <section>
      <h2>{t("holder.limits")}</h2>
      <div class="meters wide">
        {limits.map((one) => (
          <Left key={limitName(one)} {...one} name={limitName(one)} resetsAt={one.resets_at} />
        ))}
      </div>
    </section>
  );
}
