import type { Clock } from "../core/ports.ts";
import type { StorageOptions } from "../storage/open.ts";
import type { Config } from "./settings.ts";

/** The settings that say where the data is and what opens it: all that the command line needs. */
export const storageSettings = [
  "LANG",
  "DATA_DIR",
  "DATABASE_URL",
  "DATABASE_ADDRESS",
  "DATABASE_NAME",
  "DATABASE_USERNAME",
  "DATABASE_PASSWORD",
  "SECRET_KEY",
  "ENCRYPT_CONTENT",
  "EXPIRE_HOURS",
] as const satisfies readonly (keyof Config)[];

export type StorageConfig = Pick<Config, (typeof storageSettings)[number]>;

export function storageOptions(
  config: StorageConfig,
  clock: Clock,
  onError: (error: Error) => void,
): StorageOptions {
  const [current = null, ...old] = config.SECRET_KEY;
  return {
    databaseUrl: databaseUrlOf(config),
    sqliteFile: sqliteFileOf(config),
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

export function sqliteFileOf(config: StorageConfig): string {
  return `${config.DATA_DIR}/parley.sqlite`;
}

/** DATABASE_URL, or the four settings of the token agent; null means SQLite. */
export function databaseUrlOf(config: StorageConfig): string | null {
  if (config.DATABASE_URL !== null || config.DATABASE_ADDRESS === "") return config.DATABASE_URL;
  const url = new URL(`postgres://${config.DATABASE_ADDRESS}/${config.DATABASE_NAME}`);
  url.username = config.DATABASE_USERNAME;
  url.password = config.DATABASE_PASSWORD;
  return url.href;
}
