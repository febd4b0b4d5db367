import { randomUUID } from "node:crypto";
import packageJson from "../../package.json" with { type: "json" };
import { createAlerts } from "../alerts/alerts.ts";
import { createDelivery } from "../alerts/delivery.ts";
import { createPost, type Post } from "../alerts/post.ts";
import type { Config } from "../config/settings.ts";
import type { Token } from "../core/accounts/accounts.ts";
import { createQuotaWatch, type QuotaWatch } from "../core/accounts/quota-watch.ts";
import { createTokenNetworks } from "../core/accounts/token-networks.ts";
import type { Alert, DueAlert, RaiseAlert } from "../core/alerts.ts";
import { defaultLanguage, type Translate } from "../locales.ts";
import type { Log } from "../log.ts";
import type { Storage } from "../storage/open.ts";
import { runPeriodically } from "../storage/periodic.ts";
import { describeFailure } from "./failures.ts";

export interface AlertNeeds {
  readonly log: Log;
  readonly storage: Storage;
  readonly digestKey: (text: string) => string;
  readonly translate: Translate;
}

/** How the operator is told what happens. Nothing of it holds a call back. */
export interface OperatorAlerts {
  readonly alert: RaiseAlert;
  /** Null without ALERT_URL. */
  readonly quotaWatch: QuotaWatch | null;
  /** Null if SHARED_TOKEN_NETWORKS is 0. */
  readonly onToken: ((token: Token, network: string) => void) | null;
  close(): Promise<void>;
}

const WORK_EVERY_MS = 5_000;
const WATCH_EVERY_MS = 2_000;

export function composeAlerts(config: Config, needs: AlertNeeds): OperatorAlerts {
  const { log, storage, digestKey } = needs;
  const { clock, ledger, networks } = storage;
  const post = composePost(config, clock.wallMs);
  // without a receiver they are kept for the operator's page, and a shared token is in the log
  const { alert, work } = composeQueue(config, needs, post);
  const onError = (error: unknown) => log.warn("alerts", describeFailure(error));
  const quotaWatch = post === null ? null : createQuotaWatch({ ledger, clock, alert });
  const { SHARED_TOKEN_NETWORKS: limit } = config;
  const counted = { limit, store: networks, digest: digestKey, clock, alert, onError };
  const stops = [
    runPeriodically(work, WORK_EVERY_MS, onError),
    runPeriodically(async () => quotaWatch?.look(), WATCH_EVERY_MS, onError),
  ];
  return {
    alert,
    quotaWatch,
    onToken: limit === 0 ? null : createTokenNetworks(counted),
    async close() {
      // what is under way is sent again by another instance, or after the next start
      await post?.close();
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

function composePost({ ALERT_URL: url, ALERT_SECRET: secret }: Config, wallMs: () => number) {
  if (url === null || secret === null) return null;
  return createPost({ url, secret, userAgent: `parley/${packageJson.version}`, wallMs });
}

function composeQueue(config: Config, { log, storage, translate }: AlertNeeds, post: Post | null) {
  const { clock, alerts: store } = storage;
  const { wallMs } = clock;
  const language = defaultLanguage(config.LANG);
  const onGivenUp = ({ id, tries }: Pick<DueAlert, "id" | "tries">, reason: unknown) => {
    const why = reason instanceof Error ? describeFailure(reason) : Object(reason);
    log.warn("alert not delivered", { webhook_id: id, tries: tries + 1, ...why });
  };
  const deliver = post && createDelivery({ store, post, wallMs, random: Math.random, onGivenUp });
  return createAlerts({
    store,
    deliver,
    clock,
    newId: () => `msg_${randomUUID()}`,
    onNew: (alert) => {
      if (alert.type === "token.shared") warnOfShared(alert);
    },
    onLost: ({ type }) => log.warn("alert lost", { type }),
    onError: (error) => log.warn("alerts", describeFailure(error)),
  });

  function warnOfShared({ token, networks }: Extract<Alert, { type: "token.shared" }>) {
    const text = translate(language, "warning.token_shared", { ...token, networks });
    log.warn(text, { warning: "token_shared", token: token.id, networks });
  }
}
