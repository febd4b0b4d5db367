import type { Clock } from "../core/ports.ts";
import type { Config } from "./settings.ts";

/** Where the data is and what opens it, for the server and for the command. */
export function storageOptions(config: Config, clock: Clock, onError: (error: Error) => void) {
  const [current = null, ...old] = config.SECRET_KEY;
  return {
    databaseUrl: databaseUrlOf(config),
    connections: config.DATABASE_CONNECTIONS,
    sqliteFile: `${config.DATA_DIR}/parley.sqlite`,
    clock,
    secretKeys: { current, old },
    onError,
    conversations: {
      ...(config.ENCRYPT_CONTENT === "auto"
        ? {}
        : { encryptContent: config.ENCRYPT_CONTENT === "on" }),
      lifetimeMs: config.EXPIRE_HOURS * 3_600_000,
    },
  };
}

/** DATABASE_URL, or the four settings that the token agent has instead. Null means SQLite. */
function databaseUrlOf(config: Config): string | null {
  if (config.DATABASE_URL !== null || config.DATABASE_ADDRESS === "") return config.DATABASE_URL;
  const url = new URL(`postgres://${config.DATABASE_ADDRESS}`);
  url.pathname = encodeURIComponent(config.DATABASE_NAME);
  url.username = config.DATABASE_USERNAME;
  url.password = config.DATABASE_PASSWORD;
  return url.href;
}
