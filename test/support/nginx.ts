/** nginx in front of Parley, set up as docs/en/reverse-proxy.md shows, all its files in one folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { deadline } from "./http.ts";

export interface Nginx {
  readonly origin: string;
  close(): Promise<void>;
}

const START_MS = 10_000;
const MAX_ATTEMPTS = 3;

/**
 * `location` is the block of that page; the port in it is replaced by Parley's. Several copies get one
 * connection after the other. `upstream` has the blocks for them, in place of the usual one.
 */
export async function startNginx(
  location: string,
  parleyPort: number | readonly number[],
  upstream = "",
): Promise<Nginx> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(location, parleyPort, upstream);
    } catch (error) {
      // somebody else took the port between its choice and its use
      if (attempt === MAX_ATTEMPTS || !String(error).includes("Address already in use"))
        throw error;
    }
  }
}

async function startOnce(
  location: string,
  parleyPort: number | readonly number[],
  upstream: string,
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), "parley-nginx-"));
  chmodSync(folder, 0o755); // its workers, of another user, keep large bodies in files there
  const port = await freePort();
  const ports = [parleyPort].flat();
  const [only] = ports;
  const target = ports.length === 1 ? `127.0.0.1:${only}` : "copies";
  const here = location.replaceAll(/127\.0\.0\.1:\d+/g, target);
  const servers = ports.map((one) => `server 127.0.0.1:${one};`).join(" ");
  const blocks = upstream === "" ? `upstream copies { ${servers} }` : upstream;
  writeFileSync(join(folder, "nginx.conf"), configuration(port, here, blocks));
  const child = spawn("nginx", ["-p", folder, "-c", "nginx.conf", "-g", "daemon off;"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = once(child, "exit");
  let said = "";
  const listening = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("start worker process ")) resolve();
    });
    child.once("exit", () => reject(new Error(`nginx did not start: ${said}`)));
  });
  await deadline(listening, START_MS, "nginx listens");
  return {
    origin: `http://127.0.0.1:${port}`,
    close: async () => {
      child.kill("SIGTERM");
      await gone;
      rmSync(folder, { recursive: true });
    },
  };
}

function configuration(port: number, location: string, upstream: string): string {
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
    worker_processes 1;
    pid nginx.pid;
    error_log stderr notice;
    events { worker_connections 1024; }
    http {
      access_log off;
      ${folders.map((name) => `${name}_temp_path ${name};`).join("\n")}
      map $http_upgrade $connection_upgrade { default upgrade; "" close; }
      ${upstream}
      server {
        listen 127.0.0.1:${port};
        ${location}
      }
    }`;
}
