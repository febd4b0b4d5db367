import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import pg from "pg";
import { expect, test } from "vitest";
import { createSecretBox } from "../../../src/storage/accounts/secret-box.ts";
import {
  isTokenSecret,
  newSecret,
  tokenDigest,
} from "../../../src/storage/accounts/token-secret.ts";
import { entry, perDay, tokenEntry, wish } from "../support/calls.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";

const secretKey = "operator-secret-key-0123456789abcdef";
const box = createSecretBox({ current: secretKey, old: [] });

test("what is sealed opens again, in its own row only", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string(), (text, row) => {
      const sealed = box.seal(text.toWellFormed(), row);
      expect(box.open(sealed, row)).toBe(text.toWellFormed());
      expect(() => box.open(sealed, `${row}x`)).toThrow("internal");
    }),
  );
});

test("sealing twice gives two texts, and a changed byte opens nothing", () => {
  const sealed = box.seal("sk-1", "row");
  expect(sealed).not.toBe(box.seal("sk-1", "row"));
  const body = sealed.lastIndexOf(".") + 3;
  const other = sealed[body] === "A" ? "B" : "A";
  const changed = sealed.slice(0, body) + other + sealed.slice(body + 1);
  expect(() => box.open(changed, "row")).toThrow("internal");
  for (const text of ["", "v1", "v1.x.y", sealed.slice(0, 20)]) {
    expect(() => box.open(text, "row")).toThrow("internal");
  }
});

test("a short secret key is refused at the start", () => {
  expect(() => createSecretBox({ current: "short", old: [] })).toThrow("internal");
});

test("token secrets are told from others by their form and checksum", () => {
  const secrets = Array.from({ length: 500 }, () => newSecret().secret);
  expect(new Set(secrets).size).toBe(500);
  for (const secret of secrets) {
    expect(isTokenSecret(secret)).toBe(true);
    const slip = secret[20] === "a" ? "b" : "a";
    expect(isTokenSecret(secret.slice(0, 20) + slip + secret.slice(21))).toBe(false);
    expect(isTokenSecret(`${secret}\n`)).toBe(false);
  }
  expect(tokenDigest(secrets[0] ?? "")).toMatch(/^[0-9a-f]{64}$/);
});

eachDatabase("secrets", (kind) => {
  test("neither keys nor tokens are in any byte that is stored", async () => {
    const database = await createDatabase(kind);
    try {
      const storage = await database.open({ secretKeys: { current: secretKey, old: [] } });
      const upstreamKey = "sk-proj-canary0123456789canary";
      const ownKey = "sk-own-canary9876543210canary";
      const { token, secret } = await storage.tokens.create({
        name: "canary-name",
        quotas: perDay({ requests: 9 }),
        upstreamKey,
      });
      await storage.tokens.find(secret);
      const result = await storage.ledger.reserve(wish(token));
      if (result.admitted) await storage.ledger.settle(tokenEntry(token), result.reservation);
      // A caller that hands over the key itself by mistake.
      const payer = { kind: "own-key", tokenId: null, keyDigest: ownKey } as const;
      await storage.ledger.settle(entry({ payer }), null);
      const bytes = await storedBytes(database);
      expect(bytes).toContain("canary-name");
      const middle = secret.slice("parley-".length, -6);
      for (const planted of [secret, middle, upstreamKey, ownKey, secretKey]) {
        expect(bytes.includes(planted), planted.slice(0, 8)).toBe(false);
        expect(bytes.includes(Buffer.from(planted).toString("base64").slice(0, 20))).toBe(false);
        expect(bytes.includes(Buffer.from(planted).toString("hex"))).toBe(false);
      }
    } finally {
      await database.drop();
    }
  }, 30_000);
});

/** The file with its journal, or every row of every table as text. */
async function storedBytes({ place }: TestDatabase): Promise<string> {
  if (place.sqliteFile != null) {
    const folder = dirname(place.sqliteFile);
    const files = readdirSync(folder);
    expect(files.toSorted()).toContain("parley.sqlite-wal");
    return files.map((name) => readFileSync(join(folder, name), "latin1")).join("\n");
  }
  const client = new pg.Client({ connectionString: place.databaseUrl ?? "" });
  await client.connect();
  const parts: string[] = [];
  for (const table of ["tokens", "quota_use", "reservations", "owners", "ledger", "prices"]) {
    const { rows } = await client.query(`SELECT t::text AS row FROM ${table} t`);
    parts.push(...rows.map((row) => String(row.row)));
  }
  await client.end();
  return parts.join("\n");
}
