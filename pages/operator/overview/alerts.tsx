import { CopyButton } from "../../shared/copy.tsx";
import { count, money } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { DataTable } from "../data-table.tsx";
import { Disclosure } from "../disclosure.tsx";
import { Problem } from "../problem.tsx";
import { secondOf } from "../times.ts";
import { share, wordOr } from "../words.ts";

interface Warning {
  readonly code: string;
  /** Of warnings about addresses. */
  readonly peer?: string | null;
  readonly share?: number;
  /** Of warnings about copies. */
  readonly instances?: number;
}

type Facts = Readonly<Record<string, unknown>>;

interface AlertRow extends Facts {
  readonly event: string;
  readonly at: string;
  readonly quota?: unknown;
}

interface Warned {
  readonly warnings: readonly Warning[];
  readonly alerts: readonly AlertRow[];
}

/** What is wrong with how calls arrive, with its mend, and what the operator was told of. */
export function Alerts({ version }: { readonly version: number }) {
  const { answer, problem, again } = useAsked<Warned>("warnings", version);
  return (
    <>
      <Problem problem={problem} onAgain={again} />
      {answer?.warnings.map((warning) => (
        <WarningNotice key={warning.code} warning={warning} />
      ))}
      {answer !== null && answer.alerts.length > 0 && <AlertTable alerts={answer.alerts} />}
    </>
  );
}

function WarningNotice({ warning }: { readonly warning: Warning }) {
  const { code, peer = null, instances = 0 } = warning;
  const words = wordOr(`operator.warning.${code}${peer === null ? "" : "_peer"}`, code, {
    peer: peer ?? "",
    instances,
    share: share(warning.share ?? 0, 1),
  });
  const mend = mendOf(warning);
  return (
    <div class="notice">
      <p>{words}</p>
      {mend !== null && (
        <p class="row">
          <code>{mend}</code> <CopyButton text={() => mend} />
        </p>
      )}
    </div>
  );
}

/** The setting that mends it, as it is written into `.env`. */
function mendOf({ code, peer = null }: Warning): string | null {
  if (code === "limits_apart") return "REDIS_URL=redis://valkey:6379";
  return peer === null ? null : `TRUSTED_PROXIES=${peer}`;
}

function AlertTable({ alerts }: Pick<Warned, "alerts">) {
  return (
    <Disclosure summary={t("operator.overview.alerts", { count: alerts.length })}>
      {() => (
        <DataTable
          title={t("operator.overview.alert_title")}
          rows={alerts}
          keyOf={(alert) => JSON.stringify(alert)}
          columns={[
            { key: "at", label: t("operator.time"), cell: ({ at }) => secondOf(at) },
            {
              key: "event",
              label: t("operator.overview.event"),
              cell: (alert) => <span class="sentence">{wordsOfAlert(alert)}</span>,
            },
          ]}
        />
      )}
    </Disclosure>
  );
}

/** The facts fill the sentence of the event. */
function wordsOfAlert(alert: AlertRow): string {
  const facts = Object.entries(alert).map(([name, value]) => [name, plain(name, value, alert)]);
  const key = `operator.alert.${alert.event.replaceAll(".", "_")}`;
  return wordOr(key, alert.event, Object.fromEntries(facts));
}

function plain(name: string, value: unknown, { quota }: AlertRow): string {
  if (name === "quota") return wordOr(`holder.${value}`, String(value));
  if (name === "period") return wordOr(`window.${value}`, String(value));
  if (typeof value === "number") return count(value);
  return quota === "money" && typeof value === "string" && DECIMAL.test(value)
    ? money(value)
    : String(value);
}

const DECIMAL = /^\d+(?:\.\d+)?$/;
