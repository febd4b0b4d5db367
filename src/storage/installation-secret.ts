import { randomBytes } from "node:crypto";
import type { Driver } from "./driver/driver.ts";
import { type Builder, prepare } from "./driver/queries.ts";

const name = "installation_secret";
const secretBytes = 32;

/**
 * A secret made at the first start and kept with the data, the same for all processes. Digests of
 * callers' keys are made with it, so that their conversations are found again after a restart and
 * after SECRET_KEY has changed. OpenAI's keys are too long to be guessed from a digest.
 */
export async function installationSecret(driver: Driver, builder: Builder): Promise<string> {
  const made = randomBytes(secretBytes).toString("base64url");
  await driver.all(insert(builder)({ name, value: made }));
  const [row] = await driver.all(read(builder)({ name }));
  return row?.value ?? made;
}

function insert(builder: Builder) {
  return prepare<{ name: string; value: string }, unknown>(({ text }) =>
    builder
      .insertInto("settings")
      .values({ name: text("name"), value: text("value") })
      .onConflict((conflict) => conflict.doNothing()),
  );
}

function read(builder: Builder) {
  return prepare<{ name: string }, { value: string }>(({ text }) =>
    builder.selectFrom("settings").select("value").where("name", "=", text("name")),
  );
}
