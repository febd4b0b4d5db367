import type { RedisTarget } from "./redis-url.ts";
import type { Config } from "./settings.ts";

/** REDIS_URL, or the three settings that older deployments have instead. Null: each instance counts alone. */
export function redisTarget(config: Config): RedisTarget | null {
  const { REDIS_URL, REDIS_HOST: host, REDIS_PORT: port, REDIS_PASSWORD } = config;
  if (REDIS_URL !== null || host === "") return REDIS_URL;
  const password = REDIS_PASSWORD === "" ? null : REDIS_PASSWORD;
  return { host, port, tls: false, username: null, password, db: 0 };
}
