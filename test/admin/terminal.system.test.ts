/** What people see: tables that fit, colors, and how far long work is. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Screen } from "../../src/admin/screen.ts";
import { fieldLines, table } from "../../src/admin/table.ts";
import { createTexts } from "../../src/admin/texts.ts";
import { cutTo, widthOf, wrapped } from "../../src/admin/width.ts";
import { folder, installed, parleyHere } from "./support.ts";

const CLI = fileURLToPath(new URL("../../src/admin/cli.ts", import.meta.url));
/** The thread that draws has loaded by then, also on a busy machine. */
const LONG = "3000";
const WORK = fileURLToPath(new URL("fixtures/long-work.ts", import.meta.url));
const ESCAPE = "\u001b[";

type Env = Readonly<Record<string, string>>;

/** What a program writes to a terminal of so many columns; `script` makes one. */
function onTerminal(columns: number, env: Env, script: string, ...args: string[]): string {
  const line = [process.execPath, script, ...args].map((one) => `'${one}'`).join(" ");
  const command = `stty cols ${columns} rows 24; ${line}`;
  const { PATH = "" } = process.env;
  const ended = spawnSync("script", ["-qec", command, "/dev/null"], {
    env: { PATH, TERM: "xterm-256color", ...env },
    encoding: "utf8",
  });
  return ended.stdout.replaceAll("\r\n", "\n");
}

function look(columns: number | null, hasColors = false) {
  return { texts: createTexts("en"), screen: { columns, hasColors } };
}

describe("a table", () => {
  const rows = [
    {
      id: "t-0123456789",
      name: "爱丽丝与她的朋友们和很多别的人",
      requests: 5,
      comment: "x".repeat(60),
    },
    { id: "t-9876543210", name: "bob", requests: 12, comment: "short" },
  ];
  const names = ["id", "name", "requests", "comment"];

  test.each([100, 80, 60, 50, 45])("fits %i columns; East Asian characters take two", (columns) => {
    const lines = table(names, rows, look(columns)).trimEnd().split("\n");
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(columns);
    expect(lines[1]).toContain("t-0123456789");
    expect(lines[1]).toContain("…");
    expect(lines[2]).toContain(" 12 ");
  });

  test("is aligned by width", () => {
    const [, first = "", second = ""] = table(names, rows, look(100)).split("\n");
    const before = (line: string, cell: string) => widthOf(line.slice(0, line.indexOf(cell)));
    expect(before(first, "xxx")).toBe(before(second, "short"));
  });

  test("leaves its last columns out where cutting isn't enough, and says how many", () => {
    const lines = table(names, rows, look(34)).trimEnd().split("\n");
    expect(lines[0]).toBe("ID            NAME        REQUESTS");
    expect(lines.at(-1)).toBe("Columns left out: 1. --json shows all.");
  });

  test("leaves out first what has no value, if it is too wide", () => {
    const empty = rows.map((row) => ({ ...row, group: null }));
    const shown = (columns: number) =>
      table(["id", "group", "name", "comment"], empty, look(columns));
    expect(shown(120)).toContain("GROUP");
    expect(shown(60)).not.toContain("GROUP");
    expect(shown(60)).toContain("COMMENT");
  });

  test("is whole where there is no terminal", () => {
    const text = table(names, rows, look(null));
    expect(text).toContain("x".repeat(60));
    expect(text).toContain("爱丽丝与她的朋友们和很多别的人");
  });

  test("shows no time to the millisecond on a terminal", () => {
    const at = [{ since: "2026-11-30T07:05:12.345Z" }];
    expect(table(["since"], at, look(80))).toContain("\n2026-11-30 07:05Z\n");
    expect(table(["since"], at, look(null))).toContain("\n2026-11-30T07:05:12.345Z\n");
  });

  test("never cuts a token, which is shown once", () => {
    const token = `parley-${"a".repeat(38)}`;
    expect(table(["id", "name", "token"], [{ id: "1", name: "n", token }], look(20))).not.toContain(
      "parley-aaa…",
    );
  });
});

test("what is cut ends in an ellipsis and breaks no character", () => {
  expect(cutTo("abcdef", 4)).toBe("abc…");
  expect(cutTo("爱丽丝", 4)).toBe("爱…");
  expect(cutTo("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 3)).toBe("👨‍👩‍👧‍👦…");
  expect(cutTo("abcd", 4)).toBe("abcd");
});

test("Chinese is wrapped anywhere but before a mark, other words between blanks", () => {
  expect(wrapped("配置与服务器相同，退出码", 8)).toEqual(["配置与服", "务器相", "同，退出", "码"]);
  expect(wrapped("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrapped("a\nb", 10)).toEqual(["a", "b"]);
});

describe("colors", () => {
  test("show states and headings", () => {
    const shown = fieldLines({ id: "1", state: "revoked" }, look(80, true));
    expect(shown).toContain(`${ESCAPE}31mrevoked${ESCAPE}39m`);
    const states = ["valid", "disabled", "expired"].map((state) => ({ state }));
    const text = table(["state"], states, look(80, true));
    for (const code of [1, 32, 33, 31]) expect(text).toContain(`${ESCAPE}${code}m`);
  });

  test("are never in JSON", async () => {
    const env = await installed();
    const screen: Screen = { columns: 80, hasColors: true };
    const run = (...args: string[]) =>
      parleyHere(env, args, "", undefined, { out: screen, err: screen });
    await run("token", "create", "--name", "a");
    expect((await run("token", "list")).out).toContain(ESCAPE);
    expect((await run("token", "list", "--json")).out).not.toContain(ESCAPE);
    expect((await run("nothing")).err).toContain(`${ESCAPE}31mparley:${ESCAPE}39m`);
  });

  test.each<[Env, boolean]>([
    [{}, true],
    [{ NO_COLOR: "1" }, false],
    [{ TERM: "dumb" }, false],
    [{ TERM: "dumb", FORCE_COLOR: "1" }, true],
  ])("on a terminal with %j: %s", { tags: "script", timeout: 20_000 }, (env, isColored) => {
    expect(onTerminal(80, env, CLI, "nothing").includes(ESCAPE)).toBe(isColored);
  });

  test.each<[Env, boolean]>([
    [{}, false],
    [{ FORCE_COLOR: "1" }, true],
  ])(
    "in a pipe with %j: %s",
    (env, isColored) => {
      const { PATH = "" } = process.env;
      const { stderr } = spawnSync(process.execPath, [CLI, "nothing"], {
        env: { PATH, TERM: "xterm-256color", ...env },
        encoding: "utf8",
      });
      expect(stderr.includes(ESCAPE)).toBe(isColored);
    },
    20_000,
  );
});

describe("long work", () => {
  test("shows after a second how far it is, and clears its line", () => {
    const file = `${folder()}/growing`;
    const shown = onTerminal(60, { LANG: "ru_RU" }, WORK, LONG, file);
    expect(shown).toMatch(/Резервное копирование: 2\.0 из 4\.0 МиБ, \d с/);
    expect(shown.endsWith(`\r${ESCAPE}Kdone\n`)).toBe(true);
    expect(shown.split("\r")[0]).toBe("");
  }, 20_000);

  test("says what it counted where no file grows", () => {
    expect(onTerminal(60, {}, WORK, LONG)).toMatch(/Rows written: 1234, \d s/);
  }, 20_000);

  test("shows nothing if it is short", () => {
    expect(onTerminal(60, {}, WORK, "10")).toBe("done\n");
  }, 20_000);

  test("shows nothing where no terminal is", () => {
    const { stderr } = spawnSync(process.execPath, [WORK, LONG], { encoding: "utf8" });
    expect(stderr).toBe("done\n");
  }, 20_000);
});
