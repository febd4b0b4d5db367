/** The statements that create Parley's user of the database, in the file that runs and in the page. */
import { expect, test } from "vitest";
import { fileText } from "./manifests.ts";

const statements = fileText("deploy/postgres/parley.sql")
  .split("\n")
  .filter((line) => /^[A-Z]/.test(line))
  // the page says where the password and the name of the database stand
  .map((line) => line.replace(":'password'", "'PASSWORD'").replace(":DBNAME", "parley"));

test("the user is no more than a user", () => {
  expect(statements[0]).toMatch(/^CREATE ROLE parley LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE /);
  const granted = statements.filter((line) => line.startsWith("GRANT"));
  expect(granted).toEqual(["GRANT CONNECT ON DATABASE parley TO parley;"]);
});

test.each(["en", "zh_CN", "zh_TW", "ru_RU"])(
  "the page in %s has the same statements",
  (language) => {
    const page = fileText(`docs/${language}/scaling.md`);
    const own = statements.filter((line) => !line.includes("CURRENT_USER"));
    expect(own.length).toBeGreaterThan(5);
    for (const statement of own) expect(page).toContain(`\n${statement}\n`);
  },
);
