/** A scene whose limits, keys, tokens and ledger can be looked at after each call. */

import { DatabaseSync } from "node:sqlite";
import {
  ADMIN_ENV,
  admin,
  bearer,
  issue,
  type Row,
  setPrice,
} from "../../dialects/openai/support.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { postJson } from "../../support/http.ts";
import { startScene } from "../../support/scene.ts";
import type { Behaviour, ScriptedUpstream } from "../../support/upstream.ts";
import { away } from "./away.ts";
import { accessToken, expectNoSecret, ownKey, settings } from "./secrets.ts";
import type { Who } from "./surface.ts";

const HOUR_MS = 3_600_001;

export interface Stage {
  readonly upstream: ScriptedUpstream;
  readonly who: Who;
  behave(does: Behaviour): void;
  /** Rows since the last look. */
  newRows(): readonly Row[];
  /** Keys that the upstream has seen since the last look. */
  newKeys(): readonly string[];
  /** Calls that the limits have counted since the last look. */
  counted(): Promise<number>;
  /** All keys are ready again. */
  rest(): Promise<void>;
  /** What was logged since the last look. */
  newLog(): string;
  /** Looks for secrets wherever the operator and the caller may read. */
  expectNoSecret(): Promise<void>;
}

const LIMIT = 100_000;

const connectDeadline = { UPSTREAM_CONNECT_SECONDS: "1" };
const answerDeadlines = {
  UPSTREAM_ANSWER_SECONDS: "1",
  UPSTREAM_FIRST_TOKEN_SECONDS: "1",
  UPSTREAM_IDLE_SECONDS: "1",
};

/** A stage takes a tenth of a second to start, so each is used again, by one test at a time. */
const free = new Map<string, Stage[]>();
const started: Stage[] = [];

export async function withStage<T>(
  options: StageOptions,
  use: (stage: Stage) => Promise<T>,
): Promise<T> {
  const name = JSON.stringify(options);
  const stage = free.get(name)?.pop() ?? (await startStage(options));
  const result = await use(stage);
  // one that failed is not used again
  free.set(name, [...(free.get(name) ?? []), stage]);
  return result;
}

/** What the operator may read of all calls so far. */
export async function expectNoSecretOnStages(): Promise<void> {
  for (const { expectNoSecret } of started) await expectNoSecret();
}

export interface StageOptions {
  readonly caller: "token" | "own key";
  /** Deadlines of a second, by a clock that runs. */
  readonly isSlow: boolean;
  readonly retries: number;
  readonly away?: keyof typeof away;
}

async function startStage({ caller, isSlow, retries, away: where }: StageOptions): Promise<Stage> {
  let aheadMs = 0;
  const startedMs = Date.now();
  const clock = {
    monotonicMs: () => (isSlow ? performance.now() : 0) + aheadMs,
    wallMs: () => (isSlow ? Date.now() : startedMs) + aheadMs,
    sleep: () => Promise.resolve(),
  };
  const short = where === undefined ? answerDeadlines : connectDeadline;
  const deadlines = isSlow ? short : {};
  const limits = { DAY_LIMIT: String(LIMIT), GRPC_PORT: "9000" };
  const address = where === undefined ? {} : { OPENAI_URL: await away[where]() };
  const all = {
    ...ADMIN_ENV,
    ...settings,
    ...limits,
    ...deadlines,
    ...address,
    RETRIES: String(retries),
  };
  const { parley, upstream } = await startScene(all, { clock });
  const { origin, ports, config, log } = parley;
  await setPrice(origin, config.MODEL);
  const { token } = await issue(origin);
  const get = async (path: string, headers = {}): Promise<string> =>
    (await postJson(origin + path, undefined, { method: "GET", headers })).text;
  const remaining = async () => {
    const { windows } = JSON.parse(await get("/whoami")) as { windows: { remaining: number }[] };
    return windows[0]?.remaining ?? Number.NaN;
  };
  const file = closeAfterFile(
    new DatabaseSync(`${config.DATA_DIR}/parley.sqlite`, { readOnly: true }),
  );
  const select = file.prepare("SELECT * FROM ledger WHERE at > ? ORDER BY at");
  let left = LIMIT;
  let lastAt = 0;
  let seenRequests = 0;
  let seenLines = 0;

  const stage: Stage = {
    upstream,
    who: {
      origin,
      target: `127.0.0.1:${ports.grpc}`,
      credential: caller === "token" ? token : ownKey,
      isKey: caller === "own key",
      accessToken,
    },
    behave: (does) => upstream.behave(does),
    newRows() {
      const rows = select.all(lastAt) as unknown as (Row & { at: number })[];
      lastAt = rows.at(-1)?.at ?? lastAt;
      // so that the next ones are later
      aheadMs += 1;
      return rows;
    },
    newKeys() {
      const sent = upstream.requests.slice(seenRequests);
      seenRequests += sent.length;
      return sent.map(({ headers }) => String(headers.authorization));
    },
    async counted() {
      const before = left;
      left = await remaining();
      return before - left;
    },
    newLog() {
      const lines = log.slice(seenLines);
      seenLines += lines.length;
      return lines.join("");
    },
    async rest() {
      aheadMs += HOUR_MS;
      left = await remaining();
    },
    async expectNoSecret() {
      const more = [token];
      expectNoSecret(log.join(""), "the log", more);
      const metrics = await get("/metrics", bearer(settings.METRICS_TOKEN));
      expectNoSecret(metrics, "/metrics", more);
      for (const path of ["/usage", "/data/week"]) {
        expectNoSecret(await get(path, bearer(token)), path, more);
      }
      for (const path of ["/usage", "/usage/export", "/tokens"]) {
        expectNoSecret((await admin(origin, "GET", path)).text, `/admin${path}`, more);
      }
    },
  };
  started.push(stage);
  return stage;
}
