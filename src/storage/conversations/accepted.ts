import type { AcceptedOwners } from "../../core/conversations/owner.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { prepare } from "../driver/queries.ts";
import { conversationRooms } from "./rooms.ts";

/** Past this many, all are looked up again. */
const MAX_KNOWN = 10_000;

/** Owners whose key the upstream has accepted, once and for all processes. */
export function createAcceptedOwners(
  { driver, builder }: Database,
  clock: Clock,
  onError: (error: Error) => void,
): AcceptedOwners {
  const known = new Set<string>();
  const rooms = conversationRooms(builder);
  const find = prepare<{ owner: string }, { owner: string }>(({ text }) =>
    builder.selectFrom("accepted_owners").select("owner").where("owner", "=", text("owner")),
  );
  const insert = prepare<{ owner: string; now: number }, unknown>(({ int, text }) =>
    builder
      .insertInto("accepted_owners")
      .values({ owner: text("owner"), accepted_at: int("now") })
      .onConflict((conflict) => conflict.doNothing()),
  );
  const keep = async (owner: string) => {
    await driver.all(insert({ owner, now: clock.wallMs() }));
    await driver.transaction(() => rooms.release(owner));
  };
  return {
    add(owner) {
      if (known.has(owner)) return;
      if (known.size >= MAX_KNOWN) known.clear();
      known.add(owner);
      keep(owner).catch((error: Error) => {
        known.delete(owner);
        onError(error);
      });
    },
    has: async (owner) => known.has(owner) || (await driver.all(find({ owner }))).length > 0,
  };
}
