import { expect, test } from "vitest";
import { createDatabase, eachDatabase } from "./support/databases.ts";

eachDatabase("the secret of an installation", (kind) => {
  test("is made once, also by many processes at once, and stays", async () => {
    const database = await createDatabase(kind);
    const first = await database.open();
    const others = await Promise.all([database.open(), database.open()]);
    const read = await Promise.all([first, ...others].map((one) => one.installationSecret()));
    expect(new Set(read).size).toBe(1);
    expect(read[0]).toMatch(/^[\w-]{43}$/);
    const later = await database.open({ secretKeys: { current: "k".repeat(32), old: [] } });
    expect(await later.installationSecret()).toBe(read[0]);
    await database.drop();
  });
});
