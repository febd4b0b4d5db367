import { expect, test } from "vitest";
import { perDay } from "../support/calls.ts";
import { createDatabase, eachDatabase } from "../support/databases.ts";
import { endOf, messageOf, startProcess } from "../support/processes.ts";

eachDatabase("a quota of 100", (kind) => {
  test("admits exactly 100 of 500 calls that 4 processes make at once", async () => {
    const database = await createDatabase(kind);
    try {
      const storage = await database.open();
      const { token, secret } = await storage.tokens.create({
        name: "race",
        quotas: perDay({ requests: 100, tokens: 1_005 }),
      });
      const work = { place: database.place, kind: "reserve", secret, parallel: 125 } as const;
      const children = await Promise.all(
        ["a", "b", "c", "d"].map((name) => startProcess({ ...work, name })),
      );
      const admitted = children.map((child) => messageOf(child));
      for (const child of children) child.send("go");
      const counts = (await Promise.all(admitted)).map(Number);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100);
      const use = await storage.ledger.used(token.id);
      expect(use.day).toEqual({ requests: 100, tokens: 1_000, money: 100n });
      expect(use.month).toEqual(use.day);
      for (const child of children) child.send("leave");
      await Promise.all(children.map((child) => endOf(child)));
    } finally {
      await database.drop();
    }
  }, 60_000);
});
