/** The command with outputs that can't be written. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { installed } from "./support.ts";

const CLI = fileURLToPath(new URL("../../src/admin/cli.ts", import.meta.url));

test.each([
  { args: "price list", to: ">/dev/full", status: 1, says: "parley: standard output: ENOSPC\n" },
  { args: "--help", to: ">/dev/full", status: 1, says: "parley: standard output: ENOSPC\n" },
  { args: "no command", to: "2>/dev/full", status: 2, says: "" },
  { args: "price list", to: "2>/dev/full >/dev/full", status: 1, says: "" },
])("parley $args $to ends with $status", async ({ args, to, status, says }) => {
  const { DATA_DIR } = await installed();
  const ended = spawnSync("sh", ["-c", `"${process.execPath}" "${CLI}" ${args} ${to}`], {
    env: { DATA_DIR: String(DATA_DIR) },
    encoding: "utf8",
  });
  expect([ended.status, ended.stderr]).toEqual([status, says]);
});

test("parley --help | true is no failure", () => {
  const script = `{ "${process.execPath}" "${CLI}" --help; echo $? >&2; } | true`;
  const ended = spawnSync("sh", ["-c", script], { encoding: "utf8" });
  expect(ended.stderr).toBe("0\n");
});
