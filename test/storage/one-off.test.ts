import { afterAll, beforeAll, expect, test } from "vitest";
import { noon, perDay, standingClock } from "./support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "./support/databases.ts";

eachDatabase("a storage opened for one command", (kind) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase(kind);
  }, 20_000);
  afterAll(() => database.drop(), 20_000);

  test("leaves a server's open calls alone, even when its own clock is an hour ahead", async () => {
    const server = await database.open({ clock: standingClock() });
    const { token } = await server.tokens.create({
      name: "alice",
      quotas: perDay({ tokens: 100 }),
    });
    const result = await server.ledger.reserve({
      requestId: "req-1",
      at: noon,
      token,
      dialect: "openai",
      model: "gpt-4o-mini",
      onDisconnect: "cancel",
      tokens: 60,
      money: 0n,
    });
    expect(result.admitted).toBe(true);
    const command = await database.open({ clock: standingClock(noon + 3_600_000), oneOff: true });
    expect((await command.tokens.list()).map(({ name }) => name)).toEqual(["alice"]);
    await command.close();
    expect(await server.ledger.rows()).toEqual([]);
    expect((await server.ledger.used(token.id)).day.tokens).toBe(60);
  });
});
