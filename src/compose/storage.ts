import { hash } from "node:crypto";
import type { Config } from "../config/settings.ts";
import { storageOptions } from "../config/storage.ts";
import type { Clock } from "../core/ports.ts";
import { shownModel } from "../core/shown-model.ts";
import { createTranslate, defaultLanguage } from "../locales.ts";
import type { Log } from "../log.ts";
import { storageProblem } from "../storage/driver/storage-errors.ts";
import { startRetention } from "../storage/ledger/retention.ts";
import { openStorage, type Storage } from "../storage/open.ts";
import { createCopiesWarning } from "./copies.ts";
import { describeFailure, describeProblem } from "./failures.ts";

/** Opens the database and deletes ledger rows past their retention until it is closed. */
export async function composeStorage(config: Config, clock: Clock, log: Log): Promise<Storage> {
  /** While it lasts, every heartbeat fails for the same cause, which is told once. */
  let told: string | null = null;
  const onError = (error: unknown) => {
    const problem = storageProblem(error);
    if (problem === null || problem.cause !== told) log.error("database", describeFailure(error));
  };
  const warnOfCopies = createCopiesWarning((instances) => {
    const language = defaultLanguage(config.LANG);
    const text = createTranslate()(language, "warning.limits_apart", { instances });
    log.warn(text, { warning: "limits_apart", instances });
  });
  let isOpen = false;
  const storage = await openStorage({
    ...storageOptions(config, clock, onError),
    onHealth: (problem) => {
      // a start that fails says so itself
      if (!isOpen) return;
      told = problem?.cause ?? null;
      if (problem === null) log.info("the database takes writes again");
      else log.error("the database takes no writes", describeProblem(problem));
    },
    onNotice: ({ message, ...fields }) => log.warn(message, fields),
    onInstances: warnOfCopies,
    onLost: (row, error) => {
      // clients choose the model's name
      const shown = { ...row, model: shownModel(String(row.model)) };
      log.error("ledger row not written", { row: shown, ...describeFailure(error) });
    },
  });
  isOpen = true;
  const stopRetention = startRetention({
    ledger: storage.ledger,
    clock: storage.clock,
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
