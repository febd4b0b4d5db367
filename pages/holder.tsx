import { useEffect, useRef, useState } from "preact/hooks";
import { ClientSettings } from "./holder/clients.tsx";
import { Limits, Quotas } from "./holder/left.tsx";
import { LastCalls, SpentByModel } from "./holder/tables.tsx";
import type { Usage } from "./holder/usage.ts";
import { bareKey } from "./shared/bare-key.ts";
import { data } from "./shared/data.ts";
import { count, labeled, moment, money } from "./shared/format.ts";
import { start } from "./shared/frame.tsx";
import { KeyField } from "./shared/key-field.tsx";
import { getJson } from "./shared/requests.ts";
import { remembered } from "./shared/storage.ts";
import { t } from "./shared/texts.ts";

/** Of usage by model. */
const SHOWN_DAYS = 30;
const REMEMBERED_AS = "token";

function HolderPage() {
  const [token, setToken] = useState(() => remembered(REMEMBERED_AS) ?? "");
  const [shown, setShown] = useState<{ usage: Usage; token: string } | null>(null);
  const [problem, setProblem] = useState("");
  const [isAsking, setAsking] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const times = useRef(0);
  const forget = () => {
    times.current += 1;
    setProblem("");
    setShown(null);
    setAsking(false);
  };
  const show = () => {
    forget();
    const time = times.current;
    setAsking(true);
    getJson<Usage>("usage", token)
      .then(
        (usage) => isNewest(time) && setShown({ usage, token: bareKey(token) }),
        (error: Error) => isNewest(time) && setProblem(error.message),
      )
      .finally(() => isNewest(time) && setAsking(false));
  };
  // an answer about the token before comes late
  const isNewest = (time: number) => time === times.current;
  useEffect(() => {
    if (token === "") field.current?.focus();
    else show();
  }, []);
  return (
    <>
      <h1>{t("holder.title")}</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          show();
        }}
      >
        <KeyField
          field={field}
          name={REMEMBERED_AS}
          label={t("holder.token")}
          note={t("holder.kept")}
          value={token}
          onChange={(given) => {
            setToken(given);
            if (given === "") forget();
          }}
        >
          <button type="submit" class="main" disabled={token.trim() === ""}>
            {t("holder.show")}
          </button>
        </KeyField>
      </form>
      <div role="alert" class="warning">
        {problem}
      </div>
      {isAsking && <p role="status">{t("loading")}</p>}
      {shown === null ? <p class="quiet">{t("holder.about")}</p> : <Report {...shown} />}
    </>
  );
}

function Report({ usage, token }: { readonly usage: Usage; readonly token: string }) {
  const { name, expires_at: expiresAt } = usage.token;
  return (
    <>
      <h2>{name}</h2>
      <p>
        {labeled(t("holder.expires"), expiresAt === null ? t("holder.never") : moment(expiresAt))}
        <br />
        <Today usage={usage} />
      </p>
      {usage.quotas.length > 0 && <Quotas quotas={usage.quotas} />}
      {usage.limits.length > 0 && <Limits limits={usage.limits} />}
      {usage.last.length === 0 ? (
        <p>{t("holder.empty")}</p>
      ) : (
        <>
          {data.retentionDays > 0 && data.retentionDays < SHOWN_DAYS && (
            <p class="quiet">{t("holder.retention", { days: data.retentionDays })}</p>
          )}
          <SpentByModel title={t("holder.month")} sums={usage.last_30_days} />
          <LastCalls calls={usage.last} />
        </>
      )}
      <ClientSettings token={token} />
    </>
  );
}

function Today({ usage }: { readonly usage: Usage }) {
  const today = new Date().toISOString().slice(0, "2026-01-01".length);
  const sum = usage.by_day.find(({ day }) => day === today);
  const parts = [
    `${t("holder.requests")} ${count(sum?.requests ?? 0)}`,
    `${t("holder.tokens")} ${count(sum?.total_tokens ?? 0)}`,
    money(sum === undefined ? "0" : sum.cost),
  ];
  return <>{labeled(t("holder.today"), parts.join(" · "))}</>;
}

void start("holder", HolderPage);
