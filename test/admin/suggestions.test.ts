import { describe, expect, test } from "vitest";
import { allCommands } from "../../src/admin/all-commands.ts";
import { folder, installed, parleyHere } from "./support.ts";

describe("what was probably meant is suggested", () => {
  test.each([
    [["tokne", "list"], "parley token list"],
    [["token", "lst"], "parley token list"],
    [["token", "shwo", "x"], "parley token show"],
    [["tokne"], "parley token"],
    [["bakcup", "copy.sqlite"], "parley backup"],
    [["usage", "export", "--fromat", "csv"], "--format"],
    [["token", "create", "--requets-per-day", "5"], "--requests-per-day"],
    [["token", "create", "--nmae", "x"], "--name"],
    [["usage", "--by", "modle"], "model"],
    [["usage", "export", "--format=json"], "jsonl"],
    [["upstream", "add", "a", "--kind", "anthropics"], "anthropic"],
    [["doctor", "--url", "https://a.example", "--only", "safety,streem"], "stream"],
    [["completion", "bsh"], "bash"],
  ])("%j: %s", async (args, meant) => {
    const { code, out, err } = await parleyHere(await installed(), args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`\nDid you mean ${meant}?\nSee: parley `);
  });

  test.each([[["frobnicate"]], [["token", "create", "--zzz", "x"]], [["usage", "--by", "hour"]]])(
    "but nothing where no word is near: %j",
    async (args) => {
      const { code, err } = await parleyHere(await installed(), args);
      expect(code).toBe(2);
      expect(err).not.toContain("Did you mean");
    },
  );

  test("what others wrote can't control the terminal", async () => {
    const { err } = await parleyHere({}, ["to\u001b[2Jken", "x"]);
    expect(err).not.toContain("\u001b");
  });
});

describe("the command line", () => {
  test.each([
    [["token", "list", "--json=yes"], "The option --json takes no value."],
    [["token", "create", "--name"], "The option --name needs a value."],
    [["token", "create", "--name", "--json"], "The option --name needs a value."],
    [["token", "list", "-j"], "There is no option -j."],
    [["token", "list", "--"], ""],
    [["token", "show", "--", "--json"], "No token has this ID"],
    [["token", "list", "--constructor"], "There is no option --constructor."],
  ])("%j: %s", async (args, named) => {
    const { err } = await parleyHere(await installed(), args);
    expect(err).toContain(named);
    if (named === "") expect(err).toBe("");
  });

  test("a value that begins with - is given behind =", async () => {
    const args = ["token", "create", "--name=-x-", "--json"];
    expect((await parleyHere(await installed(), args)).json()).toMatchObject({ name: "-x-" });
  });

  const choices = allCommands.flatMap(({ name, options = {} }) =>
    Object.entries(options).flatMap(([option, { choices: all = [], hasSeveral }]) =>
      hasSeveral === true ? [] : all.map((choice) => [name, `--${option}`, choice] as const),
    ),
  );

  test.each(choices)("%s %s takes %s, as the operation does", async (name, option, choice) => {
    const { err } = await parleyHere(await installed(), [...name.split(" "), "x", option, choice]);
    expect(err).not.toContain(`${option} must be one of`);
  });

  test("a group alone shows its commands", async () => {
    for (const args of [["token"], ["token", "--json"]]) {
      const { code, out, err } = await parleyHere({}, args);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain("parley token rotate ID");
      expect(err).not.toContain("parley group");
    }
  });
});

describe("first steps", () => {
  test("are shown by parley alone where there is no database, and not where there is one", async () => {
    const first = await parleyHere({ DATA_DIR: folder() }, []);
    expect(first.err).toMatch(
      /^Parley has no database here yet\..*\n +parley config check .*\n +parley token create .*\n +parley doctor /,
    );
    expect(first.err).toContain("Usage: parley COMMAND");
    expect((await parleyHere(await installed(), [])).err).toMatch(/^Usage: /);
    const wrong = { DATA_DIR: folder(), DATABASE_URL: "mysql://x" };
    expect((await parleyHere(wrong, [])).err).toMatch(/^Usage: /);
  });

  test("a new token comes with the way to use it, on the server's port", async () => {
    const env = { ...(await installed()), PORT: "8080" };
    const made = await parleyHere(env, ["token", "create", "--name", "a"]);
    expect(made.out).toContain("curl http://localhost:8080/v1/models -H ");
    expect(made.out).toContain("It is for models with a price: see parley price list.");
    const wrong = await parleyHere({ ...env, PORT: "none" }, ["token", "create", "--name", "b"]);
    expect(wrong.out).toContain("curl http://localhost:5000/v1/models -H ");
    const csv = await parleyHere(env, ["token", "create", "--name", "c", "--format", "csv"]);
    expect(csv.out).not.toContain("curl");
  });
});
