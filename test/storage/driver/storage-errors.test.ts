import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { ProxyError } from "../../../src/core/errors.ts";
import { storageProblem } from "../../../src/storage/driver/storage-errors.ts";

const coded = (code: string) => Object.assign(new Error("text with a secret"), { code });

test.each([
  ["25006", "read_only"],
  ["57P01", "gone"],
  ["57P03", "starting"],
  ["08006", "gone"],
  ["08P01", "gone"],
  ["53100", "full"],
  ["53300", "crowded"],
  ["55P03", "busy"],
  ["57014", "silent"],
  ["28P01", "denied"],
  ["42501", "denied"],
  ["XX001", "damaged"],
  ["ECONNREFUSED", "away"],
  ["ECONNRESET", "gone"],
  ["ENOSPC", "full"],
  ["XX000", "damaged"],
  ["42P01", "altered"],
])("%s means %s, wherever it is in the chain of causes", (code, cause) => {
  const problem = expect.objectContaining({ cause, code });
  const ours = new ProxyError("storage_unavailable", { cause: coded(code) });
  for (const error of [coded(code), ours, new AggregateError([coded(code), coded("EPIPE")])]) {
    expect(storageProblem(error)).toEqual(problem);
    expect(storageProblem(error)?.words).not.toContain("secret");
  }
});

test.each([
  ["Query read timeout", "silent"],
  ["timeout expired", "silent"],
  ["timeout exceeded when trying to connect", "silent"],
  ["Connection terminated due to connection timeout", "silent"],
  ["Connection terminated unexpectedly", "gone"],
])("the driver's own error %j means %s", (message, cause) => {
  expect(storageProblem(new Error(message))).toMatchObject({ cause, code: null });
});

test("SQLite names its code", () => {
  const database = new DatabaseSync(":memory:");
  database.exec("PRAGMA max_page_count = 2; CREATE TABLE t (x)");
  const fill = () => database.exec("INSERT INTO t VALUES (zeroblob(100000))");
  expect(storageProblem(errorOf(fill))).toMatchObject({ cause: "full", code: "SQLITE_FULL" });
  database.exec("PRAGMA query_only = on");
  const write = () => database.exec("INSERT INTO t VALUES (1)");
  expect(storageProblem(errorOf(write))).toMatchObject({ cause: "read_only" });
  const look = () => database.exec("SELECT * FROM absent");
  expect(storageProblem(errorOf(look))).toMatchObject({ cause: "altered", errcode: 1 });
  database.close();
});

test.each([coded("23505"), coded("42601"), new Error("a query"), new TypeError("x"), "text", null])(
  "an error that says nothing about the database has no cause: %s",
  (error) => {
    expect(storageProblem(error)).toBeNull();
  },
);

function errorOf(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}
