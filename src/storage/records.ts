import type { Ledger } from "../core/accounts/accounts.ts";
import type { BackgroundCalls } from "../core/accounts/background.ts";
import type { StoredObjects } from "../core/accounts/stored-objects.ts";
import type { Clock } from "../core/ports.ts";
import { createStoredObjects } from "./accounts/stored-objects.ts";
import type { Database } from "./driver/database.ts";
import { createBackgroundCalls } from "./ledger/background.ts";
import { createLedger, type LedgerOptions } from "./ledger/ledger.ts";

/** What calls leave behind. */
export interface Records {
  readonly ledger: Ledger;
  readonly background: BackgroundCalls;
  readonly storedObjects: StoredObjects;
}

export interface RecordsOptions extends LedgerOptions {
  readonly onError: (error: Error) => void;
}

/** Rows that wait while the database is away are written, or given up, at the end. */
export function createRecords(database: Database, clock: Clock, options: RecordsOptions) {
  const { ledger, ...ledgerEnd } = createLedger(database, clock, options);
  const storedObjects = createStoredObjects(database, clock, options.onError);
  const background = createBackgroundCalls(database, clock);
  const records: Records = { ledger, background, storedObjects };
  return {
    records,
    sweep: storedObjects.sweep,
    close: () => Promise.all([ledgerEnd.close(), storedObjects.close()]),
    giveUp() {
      ledgerEnd.giveUp();
      storedObjects.giveUp();
    },
  };
}
