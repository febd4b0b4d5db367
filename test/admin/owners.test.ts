/** Files of several users, as a server that runs as its own user and an operator who is root have them. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { folder, installed, parleyHere } from "./support.ts";

const CLI = fileURLToPath(new URL("../../dist/parley.js", import.meta.url));
const NOBODY = 65_534;

/** Runs the command as the user. */
function parleyAs(user: number, env: Record<string, string>, ...args: string[]) {
  const options = { uid: user, gid: user, cwd: tmpdir(), env, encoding: "utf8" } as const;
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], options);
  return { code: status, err: stderr };
}

describe.skipIf(process.geteuid?.() !== 0)("as root", () => {
  test("a new database and its folders belong to the owner of the folder around them", async () => {
    const home = folder();
    chownSync(home, NOBODY, NOBODY);
    const DATA_DIR = join(home, "new", "data");
    const env = { DATA_DIR };
    expect((await parleyHere(env, ["token", "create", "--name", "ann"])).code).toBe(0);
    expect((await parleyHere(env, ["backup", join(home, "copy")])).code).toBe(0);
    expect((await parleyHere(env, ["restore", join(home, "copy")])).code).toBe(0);
    const files = readdirSync(home, { recursive: true, encoding: "utf8" });
    expect(files).toContain("new/data/parley.sqlite.before-restore");
    expect(files.map((file) => statSync(join(home, file)).uid)).toEqual(files.map(() => NOBODY));
    expect(parleyAs(NOBODY, env, "token", "list").code).toBe(0);
  });

  test("a database keeps its owner, whoever owns the folder", async () => {
    const { DATA_DIR = "" } = await installed();
    const file = `${DATA_DIR}/parley.sqlite`;
    chownSync(file, NOBODY, NOBODY);
    expect((await parleyHere({ DATA_DIR }, ["token", "list"])).code).toBe(0);
    expect(statSync(file).uid).toBe(NOBODY);
  });

  test("a backup of another user is named with its owner, and root can restore it", async () => {
    const env = await installed();
    const home = folder();
    chmodSync(home, 0o755);
    const backup = join(home, "backup");
    expect((await parleyHere(env, ["backup", backup])).code).toBe(0);
    const DATA_DIR = join(home, "data");
    mkdirSync(DATA_DIR);
    chownSync(DATA_DIR, NOBODY, NOBODY);
    expect(parleyAs(NOBODY, { DATA_DIR }, "restore", backup)).toEqual({
      code: 1,
      err: `parley: ${backup} belongs to user 0, and this process runs as user ${NOBODY}. Run it as that user.\n`,
    });
    expect((await parleyHere({ DATA_DIR }, ["restore", backup])).code).toBe(0);
    expect(parleyAs(NOBODY, { DATA_DIR }, "token", "list")).toEqual({ code: 0, err: "" });
  });
});
