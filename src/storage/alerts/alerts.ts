import { sql } from "kysely";
import type { AlertStore } from "../../core/alerts.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { query, type Transaction } from "../driver/driver.ts";
import { keepTold } from "./told.ts";

/** Alerts that wait to be delivered. A row takes half a kilobyte. */
const MAX_WAITING = 1_000;
/** A process that died with an alert is followed by another after this time. */
const CLAIM_MS = 60_000;

export function createAlertStore(
  { driver, builder }: Database,
  clock: Pick<Clock, "wallMs">,
  maxWaiting = MAX_WAITING,
): AlertStore {
  const waiting = builder
    .selectFrom("alerts")
    .select(({ fn }) => fn.countAll<number>().as("alerts"))
    .where("due_at", "is not", null)
    .compile();
  return {
    keep: ({ endsAt, told, ...alert }, isDelivered) =>
      driver.transaction(function* (): Transaction<"new" | "known" | "full"> {
        const [counted] = yield* query(waiting);
        if (isDelivered && Number(counted?.alerts ?? 0) >= maxWaiting) return "full";
        const due_at = isDelivered ? clock.wallMs() : null;
        const row = { ...alert, ends_at: endsAt, due_at, tries: 0 };
        const { subject: _subject, ...again } = row;
        const kept = builder
          .insertInto("alerts")
          .values(row)
          .onConflict((conflict) =>
            conflict
              .column("subject")
              .doUpdateSet(again)
              .where(sql<boolean>`alerts.mark < excluded.mark`),
          )
          .returning("id");
        if ((yield* query(kept.compile())).length === 0) return "known";
        yield* keepTold(builder, alert.id, told);
        return "new";
      }),
    async claim(most) {
      const now = clock.wallMs();
      const due = builder.selectFrom("alerts").select("subject").where("due_at", "<=", now);
      const found = await driver.all(due.orderBy("due_at").limit(most).compile());
      if (found.length === 0) return [];
      const claimed = builder
        .updateTable("alerts")
        .set({ due_at: now + CLAIM_MS })
        .where(
          "subject",
          "in",
          found.map(({ subject }) => subject),
        )
        .where("due_at", "<=", now)
        .returning(["id", "subject", "body", "tries"]);
      return driver.all(claimed.compile());
    },
    async postpone({ id, subject, tries }, until) {
      const set = { due_at: until, tries: tries + 1, ...(until === null && { body: "" }) };
      const update = builder.updateTable("alerts").set(set).where("subject", "=", subject);
      // unless a higher mark has taken its place
      await driver.all(update.where("id", "=", id).compile());
    },
  };
}
