/** Runs the command as operators do: in a process, with an empty folder. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { runCommand } from "../../src/admin/run.ts";
import type { Terminal } from "../../src/admin/tools.ts";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";
import { entry, noon } from "../storage/support/calls.ts";
import { createDatabase, type Kind } from "../storage/support/databases.ts";

const CLI = fileURLToPath(new URL("../../dist/parley.js", import.meta.url));
const COMPILE_CACHE = join(tmpdir(), "parley-compile-cache");

export type Env = Readonly<Record<string, string>>;

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** What was printed, parsed. */
  json<T = Record<string, unknown>>(): T;
}

/** Runs `parley` with this environment and nothing else. */
export async function parley(env: Env, args: readonly string[], input = ""): Promise<Ran> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    cwd: tmpdir(),
    stdio: "pipe",
    timeout: 20_000,
  });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err, json: () => JSON.parse(out) };
}

/** Runs the command in this process, which is faster. */
export async function parleyHere(
  env: Env,
  args: readonly string[],
  input = "",
  onWrite: (piece: string) => Promise<void> = async () => undefined,
  screens: Pick<Terminal, "out" | "err"> = {},
): Promise<Ran> {
  let out = "";
  let err = "";
  const code = await runCommand(args, {
    env,
    clock: systemClock,
    readFile: (path) => readFileSync(path, "utf8"),
    readInput: async () => input,
    write: async (piece) => {
      await onWrite(piece);
      out += piece;
    },
    complain: (line) => {
      err += `${line}\n`;
    },
    ...screens,
  });
  return { code, out, err, json: () => JSON.parse(out) };
}

/** A folder that is removed after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "parley-admin-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** The settings of an installation that has a database, without anything in it. */
export async function installed(): Promise<Env> {
  const DATA_DIR = folder();
  const sqliteFile = `${DATA_DIR}/parley.sqlite`;
  await (await openStorage({ sqliteFile, clock: systemClock, oneOff: true })).close();
  return { DATA_DIR };
}

/** The settings of a new database without anything in it, gone after the test. */
export async function settingsFor(kind: Kind, create = createDatabase): Promise<Env> {
  const settings = { DATA_DIR: folder() };
  if (kind === "sqlite") return settings;
  const { place, drop } = await create(kind);
  onTestFinished(drop);
  return { ...settings, DATABASE_URL: String(place.databaseUrl) };
}

/** Past calls, as a server would have recorded them. */
export async function writeCalls({ DATA_DIR }: Env, ...models: string[]): Promise<void> {
  const storage = await openStorage({
    sqliteFile: `${DATA_DIR}/parley.sqlite`,
    clock: systemClock,
    oneOff: true,
  });
  for (const [at, model] of models.entries()) {
    await storage.ledger.settle(entry({ at: noon + at, model, answeredBy: null }), null);
  }
  await storage.close();
}
