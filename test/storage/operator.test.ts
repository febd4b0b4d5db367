import { describe, expect, onTestFinished, test } from "vitest";
import { noon, standingClock } from "./support/calls.ts";
import { createDatabase, kinds } from "./support/databases.ts";

const nothing = { digest: null, offered: null, era: "" };

describe.each(kinds)("the operator's token on %s", (kind) => {
  const start = async () => {
    const database = await createDatabase(kind);
    onTestFinished(database.drop);
    const clock = standingClock();
    const open = async () => (await database.open({ clock })).operator;
    return { clock, open, operator: await open() };
  };

  test("is chosen with the code that was offered last, once, before it expires", async () => {
    const { clock, operator } = await start();
    expect(await operator.read()).toEqual(nothing);
    expect(await operator.choose("first", "token")).toBe(false);
    await operator.offer("first", noon + 10);
    await operator.offer("second", noon + 10);
    expect(await operator.read()).toEqual({ ...nothing, offered: "second" });
    expect(await operator.choose("first", "token")).toBe(false);
    clock.set(noon + 10);
    expect(await operator.read()).toEqual(nothing);
    expect(await operator.choose("second", "token")).toBe(false);
    clock.set(noon + 9);
    expect(await operator.choose("second", "token")).toBe(true);
    expect(await operator.read()).toEqual({ ...nothing, digest: "token" });
    expect(await operator.choose("second", "other")).toBe(false);
    await operator.offer("third", noon + 20);
    expect(await operator.choose("third", "other")).toBe(false);
    expect(await operator.read()).toMatchObject({ digest: "token" });
  });

  test("is forgotten by a reset, and every reset begins another era", async () => {
    const { operator } = await start();
    await operator.offer("first", noon + 10);
    await operator.choose("first", "token");
    await operator.offer("second", noon + 10);
    await operator.reset();
    const after = await operator.read();
    expect(after).toEqual({ ...nothing, era: expect.stringMatching(/./) });
    await operator.reset();
    expect((await operator.read()).era).not.toBe(after.era);
  });

  test("is one, however many choose at once on several copies", async () => {
    const { open, operator } = await start();
    const copies = [operator, await open(), await open()];
    for (let round = 0; round < 20; round += 1) {
      await operator.reset();
      await operator.offer("code", noon + 10);
      const tokens = Array.from({ length: 6 }, (_, at) => `token ${at}`);
      const chosen = await Promise.all(
        tokens.map((token, at) => (copies[at % 3] ?? operator).choose("code", token)),
      );
      expect(chosen.filter(Boolean)).toHaveLength(1);
      expect((await operator.read()).digest).toBe(tokens[chosen.indexOf(true)]);
    }
  });
});
