import { expect, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { type Env, installed, parleyHere, settingsFor } from "./support.ts";

async function listed(env: Env, ...options: string[]): Promise<readonly string[]> {
  const ran = await parleyHere(env, ["token", "list", "--json", ...options]);
  expect(ran.err).toBe("");
  return ran.json<{ name: string }[]>().map(({ name }) => name);
}

test.each(kinds)(
  "tokens are found and ordered on %s",
  async (kind) => {
    const env = await settingsFor(kind);
    const create = (...options: string[]) =>
      parleyHere(env, ["token", "create", "--json", ...options]);
    await create("--name", "bob", "--comment", "of the house");
    const { id } = (await create("--name", "alice")).json();
    await parleyHere(env, ["token", "disable", String(id)]);
    expect(await listed(env)).toEqual(["bob", "alice"]);
    expect(await listed(env, "--order", "newest")).toEqual(["alice", "bob"]);
    expect(await listed(env, "--search", "house")).toEqual(["bob"]);
    expect(await listed(env, "--state", "disabled")).toEqual(["alice"]);
  },
  60_000,
);

test("more tokens than a page has are all listed", async () => {
  const env = await installed();
  await parleyHere(env, ["token", "create", "--name", "many", "--count", "1000"]);
  await parleyHere(env, ["token", "create", "--name", "last"]);
  const names = await listed(env);
  expect([names.length, names.at(-1)]).toEqual([1_001, "last"]);
}, 60_000);

test.each([
  [["--order", "newst"], "Did you mean newest?"],
  [["--search", ""], "The option --search must not be empty."],
])("%j: %s", async (options, said) => {
  const { code, err } = await parleyHere(await installed(), ["token", "list", ...options]);
  expect(code).toBe(2);
  expect(err).toContain(said);
});
