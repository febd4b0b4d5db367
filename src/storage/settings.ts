import { randomBytes } from "node:crypto";
import type { Database } from "./driver/database.ts";
import { type Builder, prepare } from "./driver/queries.ts";
import type { SettingTable } from "./driver/schema.ts";

const NAME = "installation_secret";
const SECRET_BYTES = 32;

/**
 * A secret created at the first start and stored with the data, the same for all processes. It keys the
 * digests of callers' keys, so that their conversations are found again after a restart and after
 * SECRET_KEY has changed. OpenAI's keys are too long to be guessed from a digest.
 */
export async function installationSecret({ driver, builder }: Database): Promise<string> {
  const { add, read } = settingQueries(builder);
  const value = randomBytes(SECRET_BYTES).toString("base64url");
  await driver.all(add({ name: NAME, value }));
  const [row] = await driver.all(read({ name: NAME }));
  return row?.value ?? value;
}

/** Settings that are stored with the data. */
export function settingQueries(builder: Builder) {
  const into = builder.insertInto("settings");
  return {
    read: prepare<{ name: string }, { value: string }>(({ text }) =>
      builder.selectFrom("settings").select("value").where("name", "=", text("name")),
    ),
    /** Keeps a value that is there. */
    add: prepare<SettingTable, unknown>(({ text }) =>
      into
        .values({ name: text("name"), value: text("value") })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    write: prepare<SettingTable, unknown>(({ text }) =>
      into
        .values({ name: text("name"), value: text("value") })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: text("value") })),
    ),
    remove: prepare<{ name: string }, unknown>(({ text }) =>
      builder.deleteFrom("settings").where("name", "=", text("name")),
    ),
  };
}
