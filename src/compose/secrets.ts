import type { Config } from "../config/settings.ts";
import { secretParametersIn } from "../core/shown-url.ts";

type Settings = Pick<
  Config,
  | "ALERT_SECRET"
  | "ALERT_URL"
  | "API_KEY"
  | "SECRET_KEY"
  | "ADMIN_TOKEN"
  | "METRICS_TOKEN"
  | "ACCESS_TOKEN"
  | "DATABASE_PASSWORD"
  | "DATABASE_URL"
  | "OPENAI_PROXY"
  | "OPENAI_URL"
  | "REDIS_PASSWORD"
  | "REDIS_URL"
>;

/** Every secret that the settings hold: none of them may leave in an error's words. */
export function secretsOf(config: Settings): string[] {
  const { ALERT_URL, DATABASE_URL, OPENAI_PROXY, OPENAI_URL } = config;
  const inUrls = [ALERT_URL, DATABASE_URL, OPENAI_PROXY, OPENAI_URL].flatMap((url) =>
    url === null ? [] : secretsInUrl(new URL(url)),
  );
  const all = [
    ...config.API_KEY,
    ...config.SECRET_KEY,
    config.ADMIN_TOKEN,
    config.METRICS_TOKEN,
    config.ACCESS_TOKEN,
    config.DATABASE_PASSWORD,
    config.REDIS_PASSWORD,
    config.ALERT_SECRET === null ? "" : Buffer.from(config.ALERT_SECRET).toString("base64"),
    config.REDIS_URL?.password ?? "",
    ...inUrls,
    ...longSegments(ALERT_URL),
  ];
  return all.filter((secret): secret is string => secret !== null && secret !== "");
}

/** Receivers of webhooks are often told apart by a secret in the path. */
const MIN_SECRET_SEGMENT = 16;

function longSegments(url: URL | null): readonly string[] {
  const segments = url?.pathname.split("/") ?? [];
  return segments.filter((segment) => segment.length >= MIN_SECRET_SEGMENT);
}

/** The password as it is and as it is written, and parameters of the query. */
export function secretsInUrl(url: URL): string[] {
  const { password } = url;
  return [password, decoded(password), ...secretParametersIn(url)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
