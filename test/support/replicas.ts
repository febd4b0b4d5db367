/** A PostgreSQL server and its standby, from Debian's packages, for failovers. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { deadline } from "./http.ts";
import { postgresPrograms } from "./needs.ts";

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const asUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
const START_MS = 20_000;

interface Node {
  readonly port: number;
  /** As a crash ends it. */
  kill(): Promise<void>;
}

export interface Replicas {
  readonly primary: Node;
  readonly standby: Node & { promote(): Promise<void> };
  close(): Promise<void>;
}

export async function startReplicas(): Promise<Replicas> {
  const folder = mkdtempSync(join(tmpdir(), "parley-replicas-"));
  if (asUser.uid !== undefined) chownSync(folder, asUser.uid, asUser.gid);
  const run = (program: string, ...args: readonly string[]) =>
    promisify(execFile)(join(postgresPrograms ?? "", program), [...args], {
      ...asUser,
      env: {},
      cwd: folder,
    });
  const children: ChildProcess[] = [];
  const start = async (name: string): Promise<Node> => {
    const port = await freePort();
    const child = spawn(
      join(postgresPrograms ?? "", "postgres"),
      [
        "-D",
        join(folder, name),
        "-p",
        String(port),
        "-k",
        "",
        "-h",
        "127.0.0.1",
        "-c",
        "fsync=off",
      ],
      { ...asUser, env: {}, stdio: ["ignore", "ignore", "pipe"] },
    );
    children.push(child);
    let said = "";
    const ready = new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (/ready to accept (read-only )?connections/.test(said)) resolve();
      });
      child.once("exit", () => reject(new Error(`PostgreSQL did not start: ${said}`)));
    });
    await deadline(ready, START_MS, `the ${name} takes connections`);
    return { port, kill: () => end(child, "SIGQUIT") };
  };

  const data = join(folder, "primary");
  await run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8");
  const primary = await start("primary");
  await run(
    "pg_basebackup",
    ...["-h", "127.0.0.1", "-p", String(primary.port), "-U", "postgres"],
    ...["-D", join(folder, "standby"), "-R", "-c", "fast", "--no-sync"],
  );
  const standby = await start("standby");
  return {
    primary,
    standby: {
      ...standby,
      promote: async () => void (await run("pg_ctl", "promote", "-D", join(folder, "standby"))),
    },
    close: async () => {
      await Promise.all(children.map((child) => end(child, "SIGQUIT")));
      rmSync(folder, { recursive: true });
    },
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}
