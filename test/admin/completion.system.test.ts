/** The completion scripts in the shells that they are for. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { folder, parleyHere } from "./support.ts";

const lines = [
  { line: "parley tok", found: ["token"] },
  { line: "parley b", found: ["backup"] },
  { line: "parley token re", found: ["revoke", "reseal"] },
  { line: "parley usage e", found: ["export"] },
  { line: "parley usage --b", found: ["--by"] },
  { line: "parley usage --by ", found: ["day", "model", "token"] },
  { line: "parley usage --by=m", found: ["model"] },
  { line: "parley usage export --format j", found: ["jsonl"] },
  {
    line: "parley token create --requests-per-",
    found: ["--requests-per-day", "--requests-per-month"],
  },
  { line: "parley token create --name ", found: [] },
  { line: "parley completion f", found: ["fish"] },
  { line: "parley backup co", found: ["copy.sqlite"] },
  { line: "parley nothing ", found: [] },
];

async function script(shell: string, env: Record<string, string> = {}): Promise<string> {
  const { code, out, err } = await parleyHere(env, ["completion", shell]);
  expect([code, err]).toEqual([0, ""]);
  return out;
}

/** Runs lines of a shell in a folder with one file. */
function run(program: string, args: readonly string[], text: string): string {
  const cwd = folder();
  writeFileSync(`${cwd}/copy.sqlite`, "");
  const ended = spawnSync(program, [...args, text], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, LC_ALL: "C.UTF-8" },
    encoding: "utf8",
  });
  expect(ended.stderr).toBe("");
  return ended.stdout;
}

function sorted(text: string): readonly string[] {
  return text.split("\n").filter(Boolean).sort();
}

describe("bash", () => {
  test.each(lines)("$line", async ({ line, found }) => {
    // as bash splits the line
    const words = line.split(/ |(?<=[^ ])(?==)|(?<==)/);
    const set = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1))`;
    const ask = `${set}; _parley; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const text = `${await script("bash")}\n${ask}`;
    expect(sorted(run("bash", ["--norc", "-c"], text))).toEqual([...found].sort());
  });

  test("has it for the name parley", async () => {
    const text = `${await script("bash")}\ncomplete -p parley`;
    expect(run("bash", ["--norc", "-c"], text)).toBe("complete -F _parley parley\n");
  });
});

/** Stands for an interactive zsh: sets what completion functions read, and prints what they add. */
const ZSH = `
compdef() { : }
compset() { words[CURRENT]=\${words[CURRENT]#*=} }
compadd() { [[ $1 == -- ]] && shift; print -l -- \${(M)@:#\${words[CURRENT]}*} }
_describe() { local -a all=(\${(P)@[-1]}); compadd -- \${all%%:*} }
_files() { print -l -- \${words[CURRENT]}*(N) }
`;

describe("zsh", { tags: "zsh" }, () => {
  test.each(lines)("$line", async ({ line, found }) => {
    const words = line.split(" ").map((word) => `'${word}'`);
    const set = `words=(${words.join(" ")}); CURRENT=\${#words}`;
    const text = `${ZSH}\n${await script("zsh")}\n${set}\n_parley`;
    expect(sorted(run("zsh", ["-f", "-c"], text))).toEqual([...found].sort());
  });

  test("describes what it offers, in the user's language", async () => {
    const text = await script("zsh", { LANG: "ru_RU" });
    expect(text).toContain("'--by:day (по умолчанию), model или token'");
    const real = `autoload -U compinit; compinit -u; ${text}\nprint $_comps[parley]`;
    expect(run("zsh", ["-f", "-c"], real)).toBe("_parley\n");
  });
});

describe("fish", { tags: "fish" }, () => {
  test.each(lines)("$line", async ({ line, found }) => {
    const text = `${await script("fish")}\ncomplete -C '${line}'`;
    const offered = run("fish", ["--no-config", "-c"], text).replaceAll(/\t.*/g, "");
    const values = offered.replaceAll(/^--\w+=/gm, "");
    const files = found.includes("copy.sqlite") ? "" : /^copy\.sqlite$/gm;
    expect(sorted(values.replaceAll(files, ""))).toEqual([...found].sort());
  });

  test("describes what it offers, in the user's language", async () => {
    const text = `${await script("fish", { LANG: "zh_CN" })}\ncomplete -C 'parley usage --b'`;
    expect(run("fish", ["--no-config", "-c"], text)).toBe("--by\tday（默认）、model 或 token\n");
  });
});
