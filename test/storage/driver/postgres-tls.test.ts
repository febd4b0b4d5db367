import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certPath } from "../../support/certificate.ts";
import { type PgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { createDatabase, type TestDatabase } from "../support/databases.ts";

const ROOT = `sslrootcert=${certPath}`;

/** PgBouncer has the same TLS as PostgreSQL, and needs no server of its own. */
describe("sslmode means what it means to psql", { tags: "pgbouncer" }, () => {
  let database: TestDatabase;
  const bouncers = new Map<string, PgBouncer>();
  beforeAll(async () => {
    database = await createDatabase("postgres");
    for (const mode of ["disable", "allow", "require"]) {
      bouncers.set(mode, await startPgBouncer(database.place.databaseUrl ?? "", mode));
    }
  });
  afterAll(async () => {
    for (const bouncer of bouncers.values()) await bouncer.close();
    await database.drop();
  });

  const open = async (server: string, parameters: string, host = "127.0.0.1") => {
    const url = `${bouncers.get(server)?.url}?${parameters}`.replace("127.0.0.1", host);
    const warnings: string[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning.message);
    process.on("warning", onWarning);
    try {
      const storage = await database.open({ databaseUrl: url });
      await storage.ping();
      await storage.close();
    } finally {
      await new Promise((resolve) => setImmediate(resolve));
      process.off("warning", onWarning);
      expect(warnings).toEqual([]);
    }
  };

  test.each([
    ["require", "sslmode=require"],
    ["require", "sslmode=no-verify"],
    ["require", "sslmode=prefer"],
    ["require", "sslmode=allow"],
    ["allow", "sslmode=prefer"],
    ["allow", "sslmode=disable"],
    ["disable", "sslmode=disable"],
    ["disable", "sslmode=prefer"],
    ["disable", "sslmode=allow"],
    ["disable", "ssl=false"],
    ["require", `sslmode=verify-ca&${ROOT}`],
    ["require", `sslmode=require&${ROOT}`],
  ])("a server that has TLS %s, with %s: connects", async (server, parameters) => {
    await open(server, parameters);
  });

  test("verify-full checks the certificate and the name", async () => {
    await open("require", `sslmode=verify-full&${ROOT}`, "localhost");
    await expect(open("require", "sslmode=verify-full", "localhost")).rejects.toThrow(
      "self-signed",
    );
  });

  test.each([
    ["require", "sslmode=disable"],
    ["disable", "sslmode=require"],
  ])("a server that has TLS %s, with %s: fails", async (server, parameters) => {
    await expect(open(server, parameters)).rejects.toThrow();
  });
});
