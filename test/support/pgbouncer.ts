/** PgBouncer in front of a PostgreSQL server, with its defaults in transaction mode. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certPath, keyPath } from "./certificate.ts";
import { freePort } from "./free-port.ts";
import { deadline } from "./http.ts";

/** It refuses to run as root. */
const NOBODY = 65_534;
const asUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
const START_MS = 10_000;

export interface PgBouncer {
  /** The same database through it. */
  readonly url: string;
  close(): Promise<void>;
}

/** `tls` is what it does with clients that ask for it: `disable`, `allow` or `require`. */
export async function startPgBouncer(databaseUrl: string, tls = "disable"): Promise<PgBouncer> {
  const folder = mkdtempSync(join(tmpdir(), "parley-pgbouncer-"));
  const port = await freePort();
  const { username, password, hostname, port: serverPort, pathname } = new URL(databaseUrl);
  const file = join(folder, "pgbouncer.ini");
  writeFileSync(
    file,
    `[databases]
* = host=${hostname} port=${serverPort || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, "users.txt")}
pool_mode = transaction
client_tls_sslmode = ${tls}
client_tls_cert_file = ${join(folder, "cert.pem")}
client_tls_key_file = ${join(folder, "key.pem")}
`,
  );
  copyFileSync(certPath, join(folder, "cert.pem"));
  copyFileSync(keyPath, join(folder, "key.pem"));
  writeFileSync(join(folder, "users.txt"), `"${username}" "${decodeURIComponent(password)}"\n`);
  const { uid, gid } = asUser;
  if (uid !== undefined) {
    for (const name of ["", ...readdirSync(folder)]) chownSync(join(folder, name), uid, gid);
  }
  const child = spawn("pgbouncer", [file], {
    ...asUser,
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = once(child, "exit");
  let said = "";
  const listening = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("process up")) resolve();
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`PgBouncer did not start: ${said}`)));
  });
  await deadline(listening, START_MS, "PgBouncer listens");
  return {
    url: `postgres://${username}@127.0.0.1:${port}${pathname}`,
    close: async () => {
      child.kill("SIGTERM");
      await gone;
      rmSync(folder, { recursive: true });
    },
  };
}
