import { randomUUID } from "node:crypto";
import type { Clock, OperatorRecord, OperatorStore } from "../core/ports.ts";
import type { Database } from "./driver/database.ts";
import { query } from "./driver/driver.ts";
import { type Builder, prepare } from "./driver/queries.ts";
import type { SettingTable } from "./driver/schema.ts";
import { settingQueries } from "./settings.ts";

const TOKEN = "operator_token";
/** The code's digest and when it expires. */
const SETUP = "operator_setup";
const ERA = "operator_era";

export function createOperatorStore(
  { driver, builder }: Database,
  clock: Pick<Clock, "wallMs">,
): OperatorStore {
  const { read, write, remove } = settingQueries(builder);
  const { readAll, take, addOnce } = operatorQueries(builder);
  return {
    async read() {
      const rows = await driver.all(readAll({}));
      return recordIn(new Map(rows.map(({ name, value }) => [name, value])), clock.wallMs());
    },
    async offer(codeDigest, expiresMs) {
      await driver.all(write({ name: SETUP, value: `${codeDigest} ${expiresMs}` }));
    },
    choose: (codeDigest, tokenDigest) =>
      driver.transaction(function* choose() {
        const [row] = yield* query(read({ name: SETUP }));
        if (row === undefined || offeredIn(row.value, clock.wallMs()) !== codeDigest) return false;
        // of two that ask at once, one gets the row
        const taken = yield* query(take({ name: SETUP, value: row.value }));
        if (taken.length === 0) return false;
        const added = yield* query(addOnce({ name: TOKEN, value: tokenDigest }));
        return added.length === 1;
      }),
    reset: () =>
      driver.transaction(function* reset() {
        yield* query(remove({ name: TOKEN }));
        yield* query(remove({ name: SETUP }));
        yield* query(write({ name: ERA, value: randomUUID() }));
      }),
  };
}

function recordIn(rows: ReadonlyMap<string, string>, nowMs: number): OperatorRecord {
  return {
    digest: rows.get(TOKEN) ?? null,
    offered: offeredIn(rows.get(SETUP) ?? "", nowMs),
    era: rows.get(ERA) ?? "",
  };
}

/** Null once it has expired. */
function offeredIn(value: string, nowMs: number): string | null {
  const [digest = "", expiresMs] = value.split(" ");
  return Number(expiresMs) > nowMs ? digest : null;
}

function operatorQueries(builder: Builder) {
  return {
    readAll: prepare<object, SettingTable>(() =>
      builder
        .selectFrom("settings")
        .select(["name", "value"])
        .where("name", "in", [TOKEN, SETUP, ERA]),
    ),
    take: prepare<SettingTable, { name: string }>(({ text }) =>
      builder
        .deleteFrom("settings")
        .where("name", "=", text("name"))
        .where("value", "=", text("value"))
        .returning("name"),
    ),
    addOnce: prepare<SettingTable, { name: string }>(({ text }) =>
      builder
        .insertInto("settings")
        .values({ name: text("name"), value: text("value") })
        .onConflict((conflict) => conflict.doNothing())
        .returning("name"),
    ),
  };
}
