import type { Config, SettingName } from "../config/settings.ts";
import { reasonOf } from "../core/reason.ts";
import type { SafetySettings } from "../doctor/checks/safety.ts";
import type { Local, OperatorHeaders, ProbedKey, StorageSeen } from "../doctor/local.ts";
import { sessionKey } from "../http/call/operator-access.ts";
import { createOperatorSessions } from "../http/call/operator-sessions.ts";
import { NoDatabaseError } from "../storage/driver/access.ts";
import { storageProblem } from "../storage/driver/storage-errors.ts";
import type { Storage } from "../storage/open.ts";
import { folderSeen, noFolder } from "./doctor-storage.ts";
import type { Tools } from "./tools.ts";
import { createUpstreamPorts, upstreamSettings } from "./upstream-ports.ts";

/** The settings that `parley doctor` reads besides those of the database. */
export const doctorSettings = [
  ...upstreamSettings,
  "ROUTE",
  "MAX_BODY_BYTES",
  // ports and files are compared with each other
  "PORT",
  "METRICS_PORT",
  "WS_PORT",
  "GRPC_PORT",
  "GRPC_TLS_CERT",
  "GRPC_TLS_KEY",
  "ADMIN_TOKEN",
  "METRICS_TOKEN",
  "ACCESS_TOKEN",
  "SHARED_KEY",
  "CHATS_ACCESS",
  "ALLOWED_IPS",
  "TRUSTED_PROXIES",
  "SECOND_LIMIT",
  "MINUTE_LIMIT",
  "HOUR_LIMIT",
  "DAY_LIMIT",
] as const satisfies readonly SettingName[];

type Settings = Pick<Config, (typeof doctorSettings)[number]>;
type SafetyConfig = Pick<
  Settings,
  | "ACCESS_TOKEN"
  | "ADMIN_TOKEN"
  | "ALLOWED_IPS"
  | "API_KEY"
  | "CHATS_ACCESS"
  | "DAY_LIMIT"
  | "HOUR_LIMIT"
  | "METRICS_TOKEN"
  | "MINUTE_LIMIT"
  | "SECOND_LIMIT"
  | "SHARED_KEY"
>;

/** Of a block that nobody has (RFC 5737): only who trusts everybody trusts it. */
const NOBODY = "203.0.113.77";

/** `sessionMs`: how long the command may act as the operator. */
export function createLocal(settings: Settings, tools: Tools, sessionMs: number): Local {
  return {
    route: settings.ROUTE,
    maxBodyBytes: settings.MAX_BODY_BYTES,
    wsPort: settings.WS_PORT,
    grpcPort: settings.GRPC_PORT,
    grpcHasTls: settings.GRPC_TLS_CERT !== "",
    trustsEverybody: settings.TRUSTED_PROXIES.isTrusted(NOBODY),
    ...safetySettings(settings),
    operatorHeaders: () => operatorHeaders(settings, tools, sessionMs),
    probeUpstreams: () => probeUpstreams(settings, tools),
    storage: () => lookAtStorage(tools),
  };
}

export function safetySettings(settings: SafetyConfig): SafetySettings {
  return {
    isKeyOpen: isKeyOpen(settings),
    areChatsOpen: settings.CHATS_ACCESS === "open",
    weakSecrets: weakSecrets(settings),
  };
}

function isKeyOpen(settings: SafetyConfig): boolean {
  const { SECOND_LIMIT, MINUTE_LIMIT, HOUR_LIMIT, DAY_LIMIT } = settings;
  const hasLimit = SECOND_LIMIT + MINUTE_LIMIT + HOUR_LIMIT + DAY_LIMIT > 0;
  const isOffered = settings.API_KEY.length > 0 && settings.SHARED_KEY === "all";
  return isOffered && !hasLimit && settings.ALLOWED_IPS === null;
}

/** A session needs no token, only the database of the server; the token needs no database. */
async function operatorHeaders(
  { ADMIN_TOKEN: adminToken }: Settings,
  tools: Tools,
  sessionMs: number,
): Promise<readonly OperatorHeaders[]> {
  const session = await withStorage(tools, async ({ operator, installationSecret, clock }) => {
    const key = sessionKey(adminToken, await operator.read());
    if (key === null) return null;
    const sessions = createOperatorSessions(await installationSecret());
    const cookie = sessions.header(sessions.sign(key, clock.wallMs() + sessionMs));
    return { cookie, "sec-fetch-site": "same-origin" };
  }).catch(() => null);
  const bearer = adminToken === null ? null : { authorization: `Bearer ${adminToken}` };
  return [session, bearer].filter((headers) => headers !== null);
}

const MIN_CHARACTERS = 16;
const MIN_DIFFERENT = 8;
const USUAL = /change.?me|password|secret|admin|example|test|1234|qwerty/i;
const MAX_USUAL_CHARACTERS = 24;

function weakSecrets({
  ADMIN_TOKEN,
  METRICS_TOKEN,
  ACCESS_TOKEN,
}: SafetyConfig): readonly string[] {
  return Object.entries({ ADMIN_TOKEN, METRICS_TOKEN, ACCESS_TOKEN }).flatMap(([name, secret]) =>
    secret !== null && secret !== "" && isWeak(secret) ? [name] : [],
  );
}

function isWeak(secret: string): boolean {
  const isUsual = secret.length <= MAX_USUAL_CHARACTERS && USUAL.test(secret);
  return isUsual || secret.length < MIN_CHARACTERS || new Set(secret).size < MIN_DIFFERENT;
}

/** Each key by itself. Of more, only the first are asked. */
const MAX_PROBES = 20;

async function probeUpstreams(settings: Settings, tools: Tools): Promise<readonly ProbedKey[]> {
  const ports = createUpstreamPorts(() => settings, tools.terminal.clock);
  const stored = await withStorage(tools, ({ routing }) => routing.read()).catch(() => null);
  const all = [ports.ofSettings(), ...(stored?.upstreams ?? [])].flatMap((upstream) =>
    (upstream.keys.length > 0 ? upstream.keys : [""]).map((key, at) => ({ upstream, key, at })),
  );
  const probed = all.slice(0, MAX_PROBES).map(async ({ upstream, key, at }) => {
    const keys = key === "" ? [] : [key];
    const { ok, reason } = await ports.probe({ ...upstream, keys }, null);
    return { upstream: upstream.name, key: at + 1, ok, reason: reason ?? "" };
  });
  const unset = settings.API_KEY.length === 0 ? ports.ofSettings().name : null;
  // without a key of its own, callers bring theirs
  return (await Promise.all(probed)).filter(({ upstream }) => upstream !== unset);
}

/** Null if there is no database here. */
async function withStorage<T>(tools: Tools, work: (storage: Storage) => Promise<T>) {
  return tools.withStorage(work).catch((error: unknown) => {
    if (error instanceof Error && error.cause instanceof NoDatabaseError) return null;
    throw error;
  });
}

async function lookAtStorage(tools: Tools): Promise<StorageSeen | null> {
  try {
    const kind = await withStorage(tools, async (storage) => {
      await storage.ping();
      return storage.kind;
    });
    if (kind === null) return null;
    const seen = { kind, problem: null };
    return kind === "sqlite"
      ? { ...seen, ...folderSeen(tools.sqliteFile(), tools.terminal.clock.wallMs()) }
      : { ...seen, ...noFolder };
  } catch (error) {
    const problem = storageProblem(error)?.words ?? reasonOf(error);
    return { kind: "sqlite", problem, ...noFolder };
  }
}
