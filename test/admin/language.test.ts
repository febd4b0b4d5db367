/** The command speaks the language of whoever runs it; JSON, options and codes stay as they are. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import en from "../../locales/en.json" with { type: "json" };
import { allCommands } from "../../src/admin/all-commands.ts";
import { commonOptions, textKey } from "../../src/admin/command.ts";
import { createTexts, languageOf } from "../../src/admin/texts.ts";
import { upstreamViewSchemas } from "../../src/admin/upstream-views.ts";
import { viewSchemas } from "../../src/admin/views.ts";
import { type Language, languages } from "../../src/locales.ts";
import { folder, installed, parleyHere, writeCalls } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describe("the language", () => {
  test.each<[Record<string, string>, Language]>([
    [{ LANG: "zh_CN.UTF-8" }, "zh_CN"],
    [{ LANG: "ru_RU" }, "ru_RU"],
    [{ LANG: "zh_HK" }, "zh_TW"],
    [{ LC_ALL: "ru_RU.UTF-8", LC_MESSAGES: "zh_CN", LANG: "zh_TW" }, "ru_RU"],
    [{ LC_MESSAGES: "zh_CN", LANG: "zh_TW" }, "zh_CN"],
    [{ LC_ALL: "", LC_MESSAGES: "", LANG: "zh_TW" }, "zh_TW"],
    [{ LC_ALL: "C", LANG: "zh_TW" }, "en"],
    [{ LC_ALL: "POSIX", LANG: "zh_TW" }, "en"],
    [{ LC_ALL: "fr_FR.UTF-8", LANG: "zh_TW" }, "en"],
    // as the image and the scripts set it
    [{ LC_ALL: "C.UTF-8", LANG: "ru_RU" }, "ru_RU"],
    [{ LC_ALL: "C.UTF-8", LC_MESSAGES: "C.UTF-8", LANG: "ru_RU" }, "en"],
    [{}, "en"],
  ])("of %j is %s", (env, language) => {
    expect(languageOf(env)).toBe(language);
  });

  const run = (env: Record<string, string>, program: string, ...args: string[]) => {
    const PATH = `${ROOT}node_modules/.bin:${process.env.PATH}`;
    return spawnSync(program, args, { cwd: ROOT, env: { PATH, ...env }, encoding: "utf8" }).stdout;
  };

  test("is the user's with npm run and by the name of the file", () => {
    const env = { LC_ALL: "ru_RU.UTF-8", LANG: "zh_CN" };
    const npm = ["npm", "run", "-s", "parley", "--", "--help"] as const;
    expect(run(env, ...npm)).toMatch(/^Использование: /);
    expect(run({ LANG: "zh_CN" }, ...npm)).toMatch(/^用法：/);
    expect(run(env, `${ROOT}src/admin/cli.ts`, "--help")).toMatch(/^Использование: /);
  }, 60_000);

  test("may be in words, with which Node alone would not start", () => {
    const out = run({ LANG: "Simplified Chinese" }, `${ROOT}src/admin/cli.ts`, "--help");
    expect(out).toMatch(/^用法：/);
  }, 20_000);
});

describe("a text is in the locales", () => {
  const { find } = createTexts("en");
  const missing = (keys: readonly string[]) => keys.filter((key) => find(key) === null);

  test("for each command and each of its options", () => {
    expect(missing(allCommands.map((command) => `${textKey(command)}.summary`))).toEqual([]);
    const options = allCommands.flatMap((command) =>
      Object.keys({ ...command.options, ...commonOptions })
        .filter((option) => find(`option.${option}`) === null)
        .map((option) => `${textKey(command)}.option.${option}`),
    );
    expect(missing(options)).toEqual([]);
  });

  test("for each group of commands", () => {
    const groups = allCommands.filter(({ name }) => name.includes(" "));
    expect(missing(groups.map(({ name }) => `topic.${name.split(" ")[0]}`))).toEqual([]);
  });

  test("for each field that is shown", () => {
    const views = { ...viewSchemas, ...upstreamViewSchemas };
    const fields = Object.values(views).flatMap(({ shape }) => Object.keys(shape));
    const structured = ["stages", "retry_after_seconds"];
    const shown = fields.filter((field) => !structured.includes(field));
    expect(missing(shown.map((field) => `heading.${field}`))).toEqual([]);
  });

  test("for each message that the code names", () => {
    const code = readdirSync(`${ROOT}src/admin`, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => readFileSync(`${ROOT}src/admin/${path}`, "utf8"))
      .join("");
    const problems = [...code.matchAll(/new (?:Usage|Command)Error\(\s*"(\w+)"/g)];
    const said = [...code.matchAll(/\bsay\(\s*"((?:result|help|notice|error)\.[\w.-]+)"/g)];
    expect(problems.length).toBeGreaterThan(10);
    expect(said.length).toBeGreaterThan(10);
    expect(missing(problems.map(([, key]) => `problem.${key}`))).toEqual([]);
    expect(missing(said.map(([, key = ""]) => key))).toEqual([]);
  });

  test("and belongs to a command, an option or a message", () => {
    const known = new Set(allCommands.map(textKey));
    const parts = "help topic option heading value result progress notice error problem storage";
    const command: Readonly<Record<string, object>> = en.command;
    const keys = Object.keys(command).filter((key) => !parts.split(" ").includes(key));
    expect(keys.filter((key) => !known.has(key))).toEqual([]);
    const unused = allCommands.flatMap((one) => {
      const { option = {} } = { ...command[textKey(one)] } as { readonly option?: object };
      return Object.keys(option).filter((name) => !(name in (one.options ?? {})));
    });
    expect(unused).toEqual([]);
  });
});

describe.each(languages)("in %s", (language) => {
  const run = (...args: string[]) => parleyHere({ LANG: language }, args);

  test.each(allCommands.map(({ name }) => name))("parley %s --help is complete", async (name) => {
    const { code, out } = await run(...name.split(" "), "--help");
    expect(code).toBe(0);
    expect(out).toContain(`parley ${name}`);
    expect(out).not.toMatch(/\.(summary|option|note)\b|\bhelp\.|{{/);
    const english = (await parleyHere({ LANG: "en" }, [...name.split(" "), "--help"])).out;
    if (language !== "en") expect(out.split("\n")[2]).not.toBe(english.split("\n")[2]);
  });

  test("no line of a help is longer than 100 columns, whatever the width of its characters", async () => {
    for (const { name } of allCommands) {
      const { out } = await run(...name.split(" "), "--help");
      for (const line of out.split("\n")) {
        const wide = line.match(/[\p{Script=Han}，。、；：？！（）“”「」]/gu)?.length ?? 0;
        if (!line.includes("://") && !line.startsWith("parley route")) {
          expect(line.length + wide, line).toBeLessThanOrEqual(100);
        }
      }
    }
  });

  test("a mistake names the option", async () => {
    const env = { LANG: language, DATA_DIR: folder() };
    const { err } = await parleyHere(env, "token create --name x --day-limit many".split(" "));
    const lines = {
      en: "The option --day-limit must be a whole number.",
      zh_CN: "选项 --day-limit 的值无效，应为：整数。",
      zh_TW: "選項 --day-limit 的值無效，應為：整數。",
      ru_RU: "Параметр --day-limit неверен: ожидается целое число.",
    };
    expect(err).toContain(`parley: ${lines[language]}\n`);
  });
});

describe("in Chinese", () => {
  test("settings and databases that are wrong are explained", async () => {
    const settings = { DATABASE_URL: "mysql://x", LANG: "zh_CN" };
    expect((await parleyHere(settings, ["token", "list"])).err).toMatch(/DATABASE_URL: 必须/);
    expect((await parleyHere(settings, ["config", "check"])).out).toMatch(/DATABASE_URL: 必须/);
    const away = { DATABASE_URL: "postgres://127.0.0.1:1/x", LANG: "zh_CN" };
    expect((await parleyHere(away, ["token", "list"])).err).toContain("无法连接数据库。");
    const none = { DATA_DIR: "/nowhere", LANG: "zh_CN" };
    expect((await parleyHere(none, ["token", "list"])).err).toContain(
      "/nowhere/parley.sqlite 处没有数据库",
    );
    const backup = ["restore", "/nowhere"];
    expect((await parleyHere({ DATA_DIR: folder(), LANG: "zh_CN" }, backup)).err).toBe(
      "parley: 没有文件 /nowhere，请检查名称。\n",
    );
  });

  test("headings and states are translated; JSON is as it is", async () => {
    const env = { ...(await installed()), LANG: "zh_CN" };
    const made = await parleyHere(env, ["token", "create", "--name", "alice", "--json"]);
    expect(made.json()).toMatchObject({ name: "alice", state: "valid" });
    const { out } = await parleyHere(env, ["token", "list"]);
    expect(out).toMatch(/^ID +名称 +状态 /);
    expect(out).toMatch(/alice +有效 /);
    const english = await parleyHere({ ...env, LANG: "en" }, ["usage", "--json"]);
    expect((await parleyHere(env, ["usage", "--json"])).out).toBe(english.out);
  });

  test("a header of CSV stays as it is", async () => {
    const env = { DATA_DIR: folder(), LANG: "zh_CN" };
    await writeCalls(env, "gpt-4o");
    const { out } = await parleyHere(env, ["usage", "export"]);
    expect(out).toMatch(/^id,request_id,time,payer,token,/);
  });
});
