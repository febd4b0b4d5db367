import type { ToldAlert } from "../alerts.ts";
import type { CallPage, CallQuery } from "./calls.ts";
import type { Change, ChangeQuery } from "./changes.ts";
import type { Series, SeriesQuery } from "./series.ts";
import type { TokenPage, TokenQuery } from "./token-search.ts";

/** What operators read over everything that is stored. Bounded, and no call waits for it. */
export interface Reports {
  searchTokens(query: TokenQuery): Promise<TokenPage>;
  series(query: SeriesQuery): Promise<Series>;
  calls(query: CallQuery): Promise<CallPage>;
  /** Newest first. */
  changes(query: ChangeQuery): Promise<readonly Change[]>;
  /** The last 100, newest first. */
  alerts(): Promise<readonly ToldAlert[]>;
}
