import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readEnvFile } from "../../src/config/env-file.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-env-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Reads a file with this content, next to an environment. */
function read(content: string | Buffer) {
  const path = join(folder, crypto.randomUUID());
  writeFileSync(path, content);
  return readEnvFile(path);
}

describe("an .env file", () => {
  test("is optional", () => {
    expect(readEnvFile(join(folder, "none"))).toEqual({ env: {} });
  });

  test.each([
    ["names and values", "PORT=1\nROUTE=api\n", { PORT: "1", ROUTE: "api" }],
    ["Windows line ends", "PORT=1\r\nROUTE=api\r\n", { PORT: "1", ROUTE: "api" }],
    ["comments, blanks and export", "# a\n\n  export PORT = 1 # b\n", { PORT: "1" }],
    ["quotes", "A=\"x # y\"\nB='z'\n", { A: "x # y", B: "z" }],
    ["values of several lines", 'A="x\ny: 1\nz"\nPORT=1', { A: "x\ny: 1\nz", PORT: "1" }],
    ["an empty value", "PORT=\n", { PORT: "" }],
    ["a byte order mark", "\ufeffSHARED_KEY=token\nPORT=1\n", { SHARED_KEY: "token", PORT: "1" }],
    [
      "a byte order mark inside",
      "PORT=1\n\ufeffSHARED_KEY=token\n",
      { PORT: "1", SHARED_KEY: "token" },
    ],
    [
      "line ends of old Macs",
      "API_KEY=sk\rSHARED_KEY=token\r",
      { API_KEY: "sk", SHARED_KEY: "token" },
    ],
    ["an apostrophe behind a value", 'A="x" # don\'t\nPORT=1\n', { A: "x", PORT: "1" }],
    ["nothing", "", {}],
  ])("may hold %s", (_what, content, env) => {
    expect(read(content)).toEqual({ env });
  });

  test.each([
    ["YAML", "ROUTE=api\nPORT: 7431\n", [2]],
    ["a name alone", "PORT\n", [1]],
    ["a name with blanks", "# x\nMY PORT=1\n=2\n", [2, 3]],
    ["a quote that is never closed", 'PORT=1\n\nA="x\ny=2\n', [3]],
    ["a quote that another line closes", 'A="\nSHARED_KEY=token\nB="x"\n', [1]],
    ["text behind a quote", 'PORT=1\nA="x\\"y"\n', [2]],
    ["a no-break space before a name", "\u00a0SHARED_KEY=token\n", [1]],
    ["a no-break space behind a name", "SHARED_KEY\u00a0=token\n", [1]],
    ["a line separator", "API_KEY=sk\u2028SHARED_KEY=token\n", [1]],
    ["a control character", "API_KEY=sk\u000bSHARED_KEY=token\n", [1]],
  ])("with %s is refused with the line number, without its text", (_what, content, lines) => {
    expect(read(content)).toEqual({
      problems: lines.map((line) => ({ name: ".env", key: "env_line", params: { line } })),
    });
  });

  test.each([
    ["little-endian UTF-16", Buffer.from("\ufeffPORT=1\n", "utf16le")],
    ["big-endian UTF-16", Buffer.from("\ufeffPORT=1\n", "utf16le").swap16()],
    ["UTF-16 without a mark", Buffer.from("PORT=1\n", "utf16le")],
    ["Latin-1", Buffer.from("NAME=é\n", "latin1")],
  ])("in %s is refused", (_what, content) => {
    expect(read(content)).toMatchObject({ problems: [{ name: ".env", key: "env_encoding" }] });
  });

  test("that can't be read is refused", () => {
    const path = join(folder, "a-folder");
    mkdirSync(path);
    expect(readEnvFile(path)).toMatchObject({ problems: [{ key: "env_unreadable" }] });
  });
});
