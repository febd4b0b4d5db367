import type { Migration } from "kysely/migration";
import * as accounts from "./0001-accounts.ts";
import * as conversations from "./0002-conversations.ts";
import * as ledgerByTime from "./0003-ledger-by-time.ts";
import * as backgroundAnswers from "./0004-background-answers.ts";
import * as conversationRooms from "./0007-conversation-rooms.ts";
import * as tokenChanges from "./0008-token-changes.ts";
import * as tokenLife from "./0009-token-life.ts";
import * as prices from "./0011-prices.ts";
import * as routing from "./0012-routing.ts";
import * as tokenMinute from "./0013-token-minute.ts";
import * as groups from "./0014-groups.ts";
import * as alerts from "./0015-alerts.ts";
import * as unitPrices from "./0016-unit-prices.ts";
import * as stored from "./0017-stored.ts";
import * as reports from "./0018-reports.ts";
import * as changes from "./0019-changes.ts";
import * as instanceFacts from "./0020-instance-facts.ts";

/** A step of the tables from version to version: it only adds, unless it says what it needs. */
interface Step extends Migration {
  /**
   * For one that takes something away: the newest migration of the version that no longer used it.
   * Versions that don't know that one can't serve the database any more.
   */
  readonly needs?: string;
}

/** In the order they run. Names are kept in the database and never change. */
export const migrations: Readonly<Record<string, Step>> = {
  "0001-accounts": accounts,
  "0002-conversations": conversations,
  "0003-ledger-by-time": ledgerByTime,
  "0004-background-answers": backgroundAnswers,
  "0007-conversation-rooms": conversationRooms,
  "0008-token-changes": tokenChanges,
  "0009-token-life": tokenLife,
  "0011-prices": prices,
  "0012-routing": routing,
  "0013-token-minute": tokenMinute,
  "0014-groups": groups,
  "0015-alerts": alerts,
  "0016-unit-prices": unitPrices,
  "0017-stored": stored,
  "0018-reports": reports,
  "0019-changes": changes,
  "0020-instance-facts": instanceFacts,
};
