/** Texts that others chose, where terminals and spreadsheets show them; and moments as people write them. */
import { expect, test } from "vitest";
import { folder, installed, parleyHere, settingsFor, writeCalls } from "./support.ts";

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])(
  "a spreadsheet takes %j for a text",
  async (model) => {
    const env = { DATA_DIR: folder() };
    await writeCalls(env, model);
    const { out } = await parleyHere(env, ["usage", "export"]);
    expect(out).toMatch(/,"?'[=+\-@\t\r]/);
  },
);

const create = (name: string, ...options: string[]) => [
  ...["token", "create", "--json", "--name", name],
  ...options,
];

test.each(["a\0b", "a\u001b[31mb", "a\ud800b", "x".repeat(201)])(
  "a token can't be called %j",
  async (name) => {
    const ran = await parleyHere(await installed(), create(name));
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(ran.err).toContain("--name");
  },
);

test("a name of 200 characters is kept, and no direction or width hides a part of one", async () => {
  const env = await settingsFor("sqlite");
  const long = "x".repeat(200);
  for (const name of [long, "bo\u202eb", "al\u200bice"]) {
    expect((await parleyHere(env, create(name))).code).toBe(0);
  }
  const { out } = await parleyHere(env, ["token", "list"]);
  for (const name of [long, "bo\ufffdb", "al\ufffdice"]) expect(out).toContain(name);
});

test.each([
  ["2028-02-29", "2028-02-29T00:00:00.000Z"],
  ["2096-02-29T12:00:00Z", "2096-02-29T12:00:00.000Z"],
  ["2027-02-29", null],
  ["2020-01-01", null],
  ["2028-01-01T00:00:00", null],
  ["2028-01-01 00:00", null],
])("a token may expire at %s: %s", async (text, expires) => {
  const ran = await parleyHere(await settingsFor("sqlite"), create("a", "--expires", text));
  if (expires === null)
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining("--expires")]);
  else expect(ran.json()).toMatchObject({ expires_at: expires });
});
