import type { Config } from "../config/settings.ts";
import type { Clock } from "../core/ports.ts";
import type { GuessBrake } from "../http/call/guess-brake.ts";
import { createOperatorAccess, type OperatorAccess } from "../http/call/operator-access.ts";
import { createOperatorSessions, type OperatorSessions } from "../http/call/operator-sessions.ts";
import { offerSetupLink, SETUP_MINUTES } from "../http/call/setup-link.ts";
import { defaultLanguage, type Translate } from "../locales.ts";
import type { Log } from "../log.ts";
import type { Storage } from "../storage/open.ts";
import { describeFailure } from "./failures.ts";

export interface OperatorNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Pick<Storage, "operator" | "clock">;
  /** The installation's. */
  readonly secret: string;
  readonly brake: GuessBrake;
  readonly translate: Translate;
}

/** How the operator is known, and how they become known at the first start. */
export interface Operator {
  readonly access: OperatorAccess;
  readonly sessions: OperatorSessions;
  /** While there is no token, logs the link with which one is chosen. */
  offerSetup(port: number): Promise<void>;
}

export function composeOperator(config: Config, needs: OperatorNeeds): Operator {
  const { storage, secret, brake, clock, log, translate } = needs;
  const { operator: store } = storage;
  const { ADMIN_TOKEN: adminToken } = config;
  const { wallMs } = storage.clock;
  const sessions = createOperatorSessions(secret);
  const access = createOperatorAccess({ adminToken, store, sessions, brake, clock, wallMs });
  const say = async (port: number) => {
    if (adminToken !== null || (await store.read()).digest !== null) return;
    const { path } = await offerSetupLink(store, wallMs());
    const params = {
      url: `http://${localHost(config.HOST)}:${port}${path}`,
      minutes: SETUP_MINUTES,
    };
    const text = translate(defaultLanguage(config.LANG), "warning.operator_setup", params);
    log.warn(text, { warning: "operator_setup" });
  };
  return {
    access,
    sessions,
    offerSetup: (port) =>
      say(port).catch((error: unknown) => {
        log.error("no link for the first sign-in", describeFailure(error));
      }),
  };
}

const ANY_HOST: ReadonlySet<string> = new Set(["::", "0.0.0.0"]);

/** Where a browser on this machine finds the server. */
function localHost(host: string): string {
  if (ANY_HOST.has(host)) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
