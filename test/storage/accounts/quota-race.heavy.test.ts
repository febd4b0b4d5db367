import { expect, test } from "vitest";
import { perDay } from "../support/calls.ts";
import { createDatabase, eachDatabase } from "../support/databases.ts";
import { endOf, messageOf, startProcess } from "../support/processes.ts";

eachDatabase("a group's quota of 100", (kind) => {
  test("admits exactly 100 of 500 calls that 2 processes make at once for 4 tokens", async () => {
    const database = await createDatabase(kind);
    try {
      const storage = await database.open();
      const quotas = perDay({ requests: 100, tokens: 1_005 });
      const group = await storage.groups.create({ name: "class", comment: null, quotas });
      const names = ["a", "b", "c", "d"];
      const made = await storage.tokens.createAll(
        // one of them is stopped by a quota of its own, too
        names.map((name) => ({
          name,
          group: "class",
          quotas: perDay({ requests: name === "d" ? 7 : null }),
        })),
      );
      const secret = made.map((one) => one.secret).join();
      const work = { place: database.place, kind: "reserve", secret, parallel: 250 } as const;
      const children = await Promise.all(["x", "y"].map((name) => startProcess({ ...work, name })));
      const admitted = children.map((child) => messageOf(child));
      for (const child of children) child.send("go");
      const counts = (await Promise.all(admitted)).map(Number);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100);
      const used = async (id: string) => (await storage.ledger.used(id)).day;
      expect(await used(group.id)).toEqual({ requests: 100, tokens: 1_000, money: 100n });
      const own = await Promise.all(made.map(({ token }) => used(token.id)));
      expect(own.reduce((sum, { requests }) => sum + requests, 0)).toBe(100);
      expect(own[3]?.requests).toBeLessThanOrEqual(7);
      for (const child of children) child.send("leave");
      await Promise.all(children.map((child) => endOf(child)));
    } finally {
      await database.drop();
    }
  }, 60_000);
});

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
