import { useEffect, useState } from "preact/hooks";
import { count, moment } from "./shared/format.ts";
import { start } from "./shared/frame.tsx";
import { getJson } from "./shared/requests.ts";
import { t } from "./shared/texts.ts";
import { type Hour, LastDay } from "./status/last-day.tsx";

/** As `GET /status` answers programs. */
interface ServerState {
  readonly state: "up" | "degraded" | "down";
  readonly reasons: readonly string[];
  readonly limits: readonly { readonly window: string; readonly limit: number }[];
  readonly streams: number;
  readonly shared_key: boolean;
  readonly upstreams: readonly { readonly name: string | null; readonly state: string }[];
  readonly last_24h: readonly Hour[];
  readonly first_token_ms: { readonly median: number; readonly p95: number } | null;
  readonly at: string;
}

const REFRESH_MS = 15_000;
/** A server that says nothing for so long is not up. */
const MAX_ANSWER_MS = 10_000;

function useServerState() {
  const [state, setState] = useState<ServerState | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const look = () =>
      getJson<ServerState>("status", "", MAX_ANSWER_MS).then(
        (found) => {
          setState(found);
          setProblem("");
        },
        (error: Error) => setProblem(error.message),
      );
    void look();
    const timer = setInterval(() => void look(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return { state, problem };
}

function StatusPage() {
  const { state, problem } = useServerState();
  return (
    <>
      <h1>{t("status.title")}</h1>
      <div role="status">
        {problem !== "" && <p class="warning">{problem}</p>}
        {state === null && problem === "" && <p class="quiet">{t("loading")}</p>}
        {state !== null && <Verdict state={state} />}
      </div>
      {state !== null && <Facts state={state} />}
    </>
  );
}

function Verdict({ state: { state, reasons } }: { readonly state: ServerState }) {
  return (
    <>
      <p class={`state ${state}`}>{t(`status.${state}`)}</p>
      {reasons.map((reason) => (
        <p key={reason}>{t(`status.reason.${reason}`)}</p>
      ))}
    </>
  );
}

function Facts({ state }: { readonly state: ServerState }) {
  const { limits, streams, upstreams, at, first_token_ms: firstToken } = state;
  const rows = [
    ...limits.map(({ window, limit }) => [t(`window.${window}`), count(limit)] as const),
    ...(streams > 0 ? [[t("status.streams"), count(streams)] as const] : []),
  ];
  return (
    <>
      <p>{t(state.shared_key ? "status.shared" : "status.not_shared")}</p>
      <h2>{t("status.limits")}</h2>
      {rows.length === 0 ? <p>{t("status.no_limits")}</p> : <FactRows rows={rows} />}
      <h2>{t("status.upstreams")}</h2>
      <Upstreams upstreams={upstreams} />
      <LastDay hours={state.last_24h} />
      {firstToken !== null && <p>{t("status.first_token", firstToken)}</p>}
      <p class="quiet">{t("status.at", { time: moment(at) })}</p>
    </>
  );
}

function FactRows({ rows }: { readonly rows: readonly (readonly [string, string])[] }) {
  return (
    <table class="facts">
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Upstreams({ upstreams }: Pick<ServerState, "upstreams">) {
  const up = upstreams.filter(({ state }) => state === "up").length;
  return (
    <>
      <p>{t("status.resting", { up, all: upstreams.length })}</p>
      <ul class="states">
        {upstreams.flatMap(({ name, state }) =>
          name === null ? (
            []
          ) : (
            <li class={state}>{t(state === "up" ? "status.named" : "status.paused", { name })}</li>
          ),
        )}
      </ul>
    </>
  );
}

void start("status", StatusPage);
