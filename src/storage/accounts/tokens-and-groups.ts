import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { createGroups } from "./groups.ts";
import type { SecretBox } from "./secret-box.ts";
import { createTokenLookup } from "./token-lookup.ts";
import { createTokens } from "./tokens.ts";

/** What calls find of a token holds its group, so a change of either ends what is kept of both. */
export function createTokensAndGroups(database: Database, clock: Clock, box: SecretBox) {
  const lookup = createTokenLookup(database, clock, box);
  return {
    tokens: createTokens(database, clock, box, lookup),
    groups: createGroups(database, clock, lookup.forget),
  };
}
