import { parseDatabaseAddress, parseDatabaseUrl } from "./database-url.ts";
import {
  choice,
  list,
  optionalNumber,
  parseAdminToken,
  parseAlertSecret,
  parseAllowedAddresses,
  parseApiKeys,
  parseDisconnectSetting,
  parseHeaderText,
  parseHost,
  parseRoute,
  parseSecretKeys,
  parseTrustedProxiesSetting,
  setting,
  text,
  type ValueOf,
  wholeNumber,
} from "./kinds.ts";
import { parseRedisHost, parseRedisUrl } from "./redis-url.ts";
import { parseAlertUrl, parseOrigins, parseProxyUrl, parseUpstreamUrl } from "./urls.ts";

/** A week: longer than any answer and far below what a timer can hold. */
const MAX_SECONDS = 604_800;
const MAX_HOURS = 87_600;
const MAX_LIMIT = 1_000_000_000;
const GIBIBYTE = 1_073_741_824;

const limit = () => wholeNumber(0, 0, MAX_LIMIT, { group: "limits" });
const seconds = (fallback: number) => wholeNumber(fallback, 1, MAX_SECONDS, { group: "upstream" });

/** Every setting. Its tables in the documents and .env.example are generated from this list. */
export const settings = {
  PORT: wholeNumber(5000, 0, 65_535, { group: "server" }),
  HOST: setting(
    "::",
    { group: "server", aliases: ["BIND_ADDRESS"], example: "127.0.0.1" },
    parseHost,
  ),
  ROUTE: setting("/", { group: "server", example: "api" }, parseRoute),
  LANG: text("en", { group: "server", example: "zh_CN" }),
  MAX_BODY_BYTES: wholeNumber(1_048_576, 1_024, GIBIBYTE, { group: "server" }),
  MAX_UPLOAD_BYTES: wholeNumber(26_214_400, 1_024, GIBIBYTE, { group: "server" }),
  SHUTDOWN_SECONDS: wholeNumber(20, 0, 3_600, { group: "server" }),
  DRAIN_DELAY_SECONDS: wholeNumber(0, 0, 300, { group: "server" }),

  API_KEY: setting("", { group: "upstream", secret: true, aliases: ["GPT_API_KEY"] }, parseApiKeys),
  OPENAI_URL: setting("https://api.openai.com/v1", { group: "upstream" }, parseUpstreamUrl),
  OPENAI_KIND: choice("openai", ["openai", "azure", "anthropic"], { group: "upstream" }),
  OPENAI_PROXY: setting(
    "",
    {
      group: "upstream",
      aliases: ["PROXY"],
      example: "socks5://127.0.0.1:1080",
    },
    parseProxyUrl,
  ),
  MODEL: text("gpt-4o-mini", { group: "upstream" }),
  ALLOWED_MODELS: list("", { group: "upstream", example: "gpt-4o-mini, gpt-4o" }),
  MAX_TOKENS: wholeNumber(100, 1, MAX_LIMIT, { group: "upstream" }),
  MAX_TOKENS_LIMIT: wholeNumber(3_500, 1, MAX_LIMIT, { group: "upstream" }),
  UPSTREAM_CONNECT_SECONDS: seconds(10),
  UPSTREAM_ANSWER_SECONDS: seconds(300),
  UPSTREAM_FIRST_TOKEN_SECONDS: seconds(120),
  UPSTREAM_IDLE_SECONDS: seconds(60),
  UPSTREAM_TOTAL_SECONDS: seconds(900),
  MAX_ANSWER_BYTES: wholeNumber(16_777_216, 1_024, GIBIBYTE, { group: "upstream" }),
  MAX_EVENT_BYTES: wholeNumber(1_048_576, 1_024, GIBIBYTE, { group: "upstream" }),
  RETRIES: wholeNumber(2, 0, 10, { group: "upstream" }),

  SECOND_LIMIT: limit(),
  MINUTE_LIMIT: limit(),
  HOUR_LIMIT: limit(),
  DAY_LIMIT: limit(),
  STREAM_LIMIT: limit(),
  TRUSTED_PROXIES: setting(
    "",
    { group: "limits", example: "loopback, 172.16.0.0/12, cloudflare" },
    parseTrustedProxiesSetting,
  ),
  ALLOWED_IPS: setting(
    "",
    { group: "limits", example: "203.0.113.0/24, 2001:db8::/32" },
    parseAllowedAddresses,
  ),

  CHATS_ACCESS: choice("own", ["own", "open"], { group: "conversations" }),
  MESSAGES_LENGTH: wholeNumber(20, 0, 2_000, { group: "conversations" }),
  CONTEXT_TOKENS: wholeNumber(0, 0, MAX_LIMIT, { group: "conversations" }),
  EXPIRE_HOURS: wholeNumber(6, 1, MAX_HOURS, { group: "conversations" }),
  ENCRYPT_CONTENT: choice("auto", ["auto", "on", "off"], { group: "conversations" }),
  MODERATION_MODEL: text("omni-moderation-latest", { group: "conversations" }),

  WS_PORT: optionalNumber(1, 65_535, { group: "transports", example: "9001" }),
  WS_ORIGINS: setting(
    "",
    { group: "transports", example: "https://chat.example.org" },
    parseOrigins,
  ),
  WS_CONNECTIONS: wholeNumber(16, 0, MAX_LIMIT, { group: "transports" }),
  WS_IDLE_SECONDS: wholeNumber(600, 1, MAX_SECONDS, { group: "transports" }),
  GRPC_PORT: optionalNumber(1, 65_535, { group: "transports", example: "9000" }),
  GRPC_TLS_CERT: text("", { group: "transports", example: "/run/secrets/grpc.crt" }),
  GRPC_TLS_KEY: text("", { group: "transports", example: "/run/secrets/grpc.key" }),

  SHARED_KEY: choice("all", ["all", "token"], { group: "accounts" }),
  RESERVE_TOKENS: wholeNumber(8_192, 1, MAX_LIMIT, { group: "accounts" }),
  BACKGROUND_HOURS: wholeNumber(24, 1, MAX_HOURS, { group: "accounts" }),
  ON_DISCONNECT: setting(
    "cancel",
    { group: "accounts", example: "drain:30" },
    parseDisconnectSetting,
  ),
  DATA_DIR: text("data", { group: "accounts" }),
  DATABASE_URL: setting(
    "",
    {
      group: "accounts",
      secret: true,
      example: "postgres://user@db/parley",
    },
    parseDatabaseUrl,
  ),
  DATABASE_ADDRESS: setting(
    "",
    { group: "accounts", example: "127.0.0.1:5432" },
    parseDatabaseAddress,
  ),
  DATABASE_NAME: text("postgres", { group: "accounts" }),
  DATABASE_USERNAME: text("postgres", { group: "accounts" }),
  DATABASE_PASSWORD: text("", { group: "accounts", secret: true }),
  DATABASE_CONNECTIONS: wholeNumber(10, 2, 1_000, { group: "accounts" }),
  SECRET_KEY: setting("", { group: "accounts", secret: true }, parseSecretKeys),
  ACCESS_TOKEN: setting(
    "",
    { group: "accounts", secret: true, aliases: ["ACCESS_KEY", "access_token"] },
    parseHeaderText,
  ),
  ADMIN_TOKEN: setting("", { group: "accounts", secret: true }, parseAdminToken),
  RETENTION_DAYS: wholeNumber(0, 0, 36_500, { group: "accounts" }),

  REDIS_URL: setting(
    "",
    { group: "instances", secret: true, example: "redis://cache:6379/0" },
    parseRedisUrl,
  ),
  REDIS_HOST: setting("", { group: "instances", example: "127.0.0.1" }, parseRedisHost),
  REDIS_PORT: wholeNumber(6_379, 1, 65_535, { group: "instances" }),
  REDIS_PASSWORD: text("", { group: "instances", secret: true }),
  REDIS_CA_FILE: text("", { group: "instances", example: "/run/secrets/redis-ca.crt" }),
  LIMITS_WITHOUT_REDIS: choice("divide", ["divide", "refuse"], { group: "instances" }),
  INSTANCES: wholeNumber(1, 1, 1_000, { group: "instances" }),

  LOG_LEVEL: choice("info", ["debug", "info", "warn", "error", "silent"], { group: "status" }),
  METRICS_PORT: optionalNumber(1, 65_535, { group: "status", example: "9464" }),
  METRICS_TOKEN: setting("", { group: "status", secret: true }, parseHeaderText),
  ALERT_URL: setting(
    "",
    { group: "status", secret: true, example: "https://alerts.example.org/parley" },
    parseAlertUrl,
  ),
  ALERT_SECRET: setting("", { group: "status", secret: true }, parseAlertSecret),
  SHARED_TOKEN_NETWORKS: wholeNumber(8, 0, 1_000, { group: "status" }),
  STATUS_UPSTREAMS: choice("hide", ["hide", "names"], { group: "status" }),
} as const;

export type SettingName = keyof typeof settings;
export type Config = { readonly [N in SettingName]: ValueOf<(typeof settings)[N]> } & {
  /** What is set, even if to its default. */
  readonly given: ReadonlySet<SettingName>;
};
