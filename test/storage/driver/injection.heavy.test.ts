import { expect, test } from "vitest";
import { noon, standingClock, tokenEntry } from "../support/calls.ts";
import { createDatabase, eachDatabase } from "../support/databases.ts";

const seeds = [
  "' OR '1'='1",
  "'; DROP TABLE tokens; --",
  '" OR ""="',
  "1; DELETE FROM ledger",
  "') UNION SELECT digest FROM tokens --",
  "%",
  "_%",
  "\\",
  "$1",
  "?",
  ":name",
  "@p",
  "/*",
  "--",
  "0x27",
  "\u02bc OR 1=1",
  "＇ OR 1=1",
  "NULL",
  "{{7*7}}",
  "a\nb\r\tc",
];
const wraps = ["", "'", '"', "`", "\\'", ")", "%27", "parley-", "$$", ";"];
const payloads = seeds.flatMap((seed) =>
  wraps.flatMap((before) => wraps.map((after) => before + seed + after)),
);

eachDatabase("2,000 injection strings", (kind) => {
  test("are stored as they are, find nothing and break nothing", async () => {
    expect(payloads).toHaveLength(2_000);
    const database = await createDatabase(kind);
    try {
      const storage = await database.open({ clock: standingClock() });
      const { token } = await storage.tokens.create({ name: "victim" });
      await inBatches(async (text) => {
        expect(await storage.tokens.find(text)).toBeNull();
        expect(await storage.tokens.find(`parley-${text}`)).toBeNull();
        expect(await storage.tokens.show(text)).toBeNull();
        expect(await storage.tokens.revoke(text)).toBe(false);
        expect(await storage.ledger.rows({ tokenId: text })).toEqual([]);
        expect(await storage.ledger.week(text)).toEqual([]);
        expect(await storage.prices.priceOf(text, noon)).toBeNull();
        const texts = { requestId: text, model: text, dialect: text, upstreamId: text };
        await storage.ledger.settle(tokenEntry(token, { ...texts, answeredBy: text }), null);
      });
      for (const name of payloads.slice(0, 200)) {
        const made = await storage.tokens.create({ name, comment: name, models: [name] });
        expect(await storage.tokens.show(made.token.id)).toMatchObject({ name, models: [name] });
      }
      const stored: string[] = [];
      for await (const row of storage.ledger.export({ tokenId: token.id })) stored.push(row.model);
      expect(stored.toSorted()).toEqual(payloads.toSorted());
      expect(await storage.tokens.list()).toHaveLength(201);
    } finally {
      await database.drop();
    }
  }, 60_000);
});

async function inBatches(work: (text: string) => Promise<void>): Promise<void> {
  for (let at = 0; at < payloads.length; at += 50) {
    await Promise.all(payloads.slice(at, at + 50).map(work));
  }
}
