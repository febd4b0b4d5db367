/** The script that makes the secrets of compose.scale.yml, on folders in place of volumes. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/read.ts";
import { closeAfterFile } from "../support/cleanup.ts";

const SCRIPT = fileURLToPath(new URL("../../deploy/compose/secrets.sh", import.meta.url));
const me = String(process.getuid?.());

function openVolumes() {
  const folder = mkdtempSync(join(tmpdir(), "parley-secrets-"));
  for (const name of ["web", "database", "store"]) mkdirSync(join(folder, name));
  closeAfterFile({ close: () => rmSync(folder, { recursive: true }) });
  const read = (path: string) => readFileSync(join(folder, path), "utf8").trim();
  return {
    read,
    path: (path: string) => join(folder, path),
    /** Every file with its content. */
    all: () =>
      Object.fromEntries(
        ["web", "database", "store"].flatMap((name) =>
          readdirSync(join(folder, name)).map((file) => [
            `${name}/${file}`,
            read(`${name}/${file}`),
          ]),
        ),
      ),
    password: () => new URL(read("web/redis_url")).password,
    run: (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
      promisify(execFile)("sh", [SCRIPT, ...args], {
        env: {
          PATH: process.env.PATH,
          SECRETS_FOLDER: folder,
          WEB_USER: me,
          SERVER_USER: me,
          ...env,
        },
      }),
  };
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

describe("the secrets of several copies", () => {
  test("are made once, are all different, and are printed nowhere", async () => {
    const volumes = openVolumes();
    const { stdout, stderr } = await volumes.run();
    expect(stdout + stderr).toBe("");
    const first = volumes.all();
    expect(Object.keys(first).toSorted()).toEqual([
      "database/parley",
      "database/superuser",
      "store/parley.sha256",
      "web/database_url",
      "web/redis_url",
      "web/secret_key",
    ]);
    await volumes.run();
    expect(volumes.all()).toEqual(first);
    const random = Object.values(first).flatMap((text) => text.match(/[0-9a-f]{64}/g) ?? []);
    // the password of the database is in two files
    expect(new Set(random).size).toBe(random.length - 1);
  });

  test("are settings that Parley reads", async () => {
    const volumes = openVolumes();
    await volumes.run();
    const env = {
      DATABASE_URL_FILE: volumes.path("web/database_url"),
      REDIS_URL_FILE: volumes.path("web/redis_url"),
      SECRET_KEY_FILE: volumes.path("web/secret_key"),
    };
    expect(readConfig(env, (path) => readFileSync(path, "utf8"))).toHaveProperty("config");
  });

  test("only their reader may read them", async () => {
    const volumes = openVolumes();
    await volumes.run();
    for (const path of Object.keys(volumes.all())) {
      expect(statSync(volumes.path(path)).mode & 0o777, path).toBe(0o400);
    }
  });

  test("the store gets the hash of its password, and no password", async () => {
    const volumes = openVolumes();
    await volumes.run();
    expect(volumes.read("store/parley.sha256")).toBe(digest(volumes.password()));
  });

  test("the store knows the old password until it is told to forget it", async () => {
    const volumes = openVolumes();
    await volumes.run();
    const old = volumes.password();
    await volumes.run(["rotate", "store"]);
    const hashes = [digest(volumes.password()), digest(old)];
    expect(volumes.read("store/parley.sha256").split("\n")).toEqual(hashes);
    await volumes.run();
    expect(volumes.read("store/parley.sha256").split("\n")).toEqual(hashes);
    await volumes.run(["forget", "store"]);
    expect(volumes.read("store/parley.sha256")).toBe(hashes[0]);
  });

  test("a new SECRET_KEY comes before the old one until that is forgotten", async () => {
    const volumes = openVolumes();
    await volumes.run();
    const old = volumes.read("web/secret_key");
    await volumes.run(["rotate", "secret_key"]);
    const [newest = "", second] = volumes.read("web/secret_key").split(",");
    expect(second).toBe(old);
    await volumes.run(["forget", "secret_key"]);
    expect(volumes.read("web/secret_key")).toBe(newest);
  });

  test("a SECRET_KEY that is set is taken, and stays when it is set no more", async () => {
    const volumes = openVolumes();
    const own = "own".repeat(12);
    await volumes.run();
    await volumes.run([], { SECRET_KEY: own });
    await volumes.run();
    expect(volumes.read("web/secret_key")).toBe(own);
    const refused = volumes.run(["rotate", "secret_key"], { SECRET_KEY: own });
    await expect(refused).rejects.toMatchObject({ code: 2 });
  });

  test("what a broken-off rotation left half done is done by the next start", async () => {
    const volumes = openVolumes();
    await volumes.run();
    const { "web/database_url": url = "", "store/parley.sha256": hash = "" } = volumes.all();
    const old = volumes.all();
    await volumes.run(["rotate", "store"]);
    await volumes.run(["rotate", "database"]);
    // as if only the first of the two files had been written each time
    for (const [path, text] of [
      ["web/database_url", url],
      ["store/parley.sha256", hash],
    ] as const) {
      rmSync(volumes.path(path));
      writeFileSync(volumes.path(path), `${text}\n`);
    }
    await volumes.run();
    expect(volumes.read("web/database_url")).toContain(volumes.read("database/parley"));
    expect(volumes.read("web/database_url")).not.toBe(old["web/database_url"]);
    expect(volumes.read("store/parley.sha256").split("\n")).toEqual([
      digest(volumes.password()),
      old["store/parley.sha256"],
    ]);
  });
});
