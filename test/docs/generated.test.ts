import { describe, expect, test } from "vitest";
import { wantedDocuments } from "../../scripts/docs/documents.ts";
import { readDocument, readmes } from "../../scripts/docs/files.ts";
import { commandHelp, errorsTable } from "../../scripts/docs/reference.ts";
import { envExample, settingsTables } from "../../scripts/docs/settings.ts";
import { settings } from "../../src/config/settings.ts";
import { errorCodes } from "../../src/core/errors.ts";
import { languages } from "../../src/locales.ts";

test.each(wantedDocuments())("$path is up to date (npm run docs)", ({ path, text }) => {
  expect(readDocument(path)).toBe(text);
});

describe.each(languages)("in %s", (language) => {
  test("every setting has a row", () => {
    const rows = [...settingsTables(language).matchAll(/^\| `([A-Z_]+)` \|/gm)];
    expect(rows.map(([, name]) => name)).toEqual(Object.keys(settings));
  });

  test("every error code has a row", () => {
    const rows = [
      ...errorsTable(language).matchAll(/^\| `([a-z_\d]+)` \| \d{3}(?:, \d{3})? \| \S/gm),
    ];
    expect(rows.map(([, code]) => code)).toEqual([...errorCodes]);
  });

  test("the example of .env names every setting and sets none", () => {
    const lines = envExample(language).split("\n");
    const named = lines.flatMap((line) => /^#([A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(named).toEqual(Object.keys(settings));
    expect(lines.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
  });

  test("the README has at most 200 lines and says how to run and test", () => {
    const lines = readDocument(readmes[language]).trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(200);
    expect(lines).toContain("npm ci && npm start");
    expect(lines).toContain("npm ci && npm test");
  });
});

test.each(languages)("every command of the overview has its help in %s", async (language) => {
  const help = await commandHelp(language);
  const [overview = ""] = help.split("\n## ");
  const listed = [...overview.matchAll(/^ {2}parley /gm)];
  expect(help.match(/^## parley /gm)).toHaveLength(listed.length);
  expect(help.match(/^\S+[:：] ?parley /gm)).toHaveLength(listed.length + 1);
});
