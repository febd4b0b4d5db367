import { hash } from "node:crypto";
import type { Config } from "../config/settings.ts";
import { storageOptions } from "../config/storage.ts";
import type { Clock } from "../core/ports.ts";
import { redact } from "../core/redact.ts";
import type { Log } from "../log.ts";
import { startRetention } from "../storage/ledger/retention.ts";
import { openStorage, type Storage } from "../storage/open.ts";
import { describeFailure } from "./failures.ts";

/** Opens the database and deletes ledger rows past their retention until it is closed. */
export async function composeStorage(config: Config, clock: Clock, log: Log): Promise<Storage> {
  const onError = (error: unknown) => log.error("database", describeFailure(error));
  const storage = await openStorage({
    ...storageOptions(config, clock, onError),
    onLost: (row, error) => {
      // clients choose the model's name
      const shown = { ...row, model: redact(String(row.model)) };
      log.error("ledger row not written", { row: shown, ...describeFailure(error) });
    },
  });
  const stopRetention = startRetention({
    ledger: storage.ledger,
    clock,
    days: config.RETENTION_DAYS,
    onPurged: (rows) => log.info("old ledger rows deleted", { rows }),
    onError,
  });
  return {
    ...storage,
    close: async () => {
      await stopRetention();
      await storage.close();
    },
  };
}

/** 128 bits in hex, a form the ledger stores as it is; it would hash anything else again. */
const DIGEST_CHARACTERS = 32;

/** Keyed, so that hashes of keys mean nothing without this installation's secret. */
export function createKeyDigest(secret: string): (key: string) => string {
  // of fixed length, so that no other secret and key can come to the same text
  const hashKey = hash("sha256", secret);
  return (key) => hash("sha256", hashKey + key).slice(0, DIGEST_CHARACTERS);
}
