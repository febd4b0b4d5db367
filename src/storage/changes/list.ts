import type { Change, ChangeQuery } from "../../core/reports/changes.ts";
import type { Database } from "../driver/database.ts";
import { isStorable } from "../driver/driver.ts";
import { pageSize } from "../driver/queries.ts";

const MAX_LISTED = 1_000;

/** The newest first. */
export function createChangeList({ driver, builder }: Database) {
  return async ({ limit, kind, subject, before }: ChangeQuery): Promise<readonly Change[]> => {
    let changes = builder.selectFrom("changes").selectAll().orderBy("id", "desc");
    if (kind !== undefined) changes = changes.where("kind", "=", kind);
    if (subject !== undefined) {
      changes = changes.where("subject", "=", isStorable(subject) ? subject : "");
    }
    if (before !== undefined) changes = changes.where("id", "<", before);
    return driver.report<Change>(changes.limit(pageSize(limit, MAX_LISTED)).compile());
  };
}
