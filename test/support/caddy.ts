/** Caddy in front of Parley, all its files in one folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { deadline } from "./http.ts";

export interface Caddy {
  readonly origin: string;
  close(): Promise<void>;
}

const START_MS = 20_000;

/** `site` is what a site's block has; `127.0.0.1:5000` in it is Parley. Without TLS. */
export async function startCaddy(site: string, parleyPort: number): Promise<Caddy> {
  const folder = mkdtempSync(join(tmpdir(), "parley-caddy-"));
  const port = await freePort();
  const file = join(folder, "Caddyfile");
  const options = "admin off\n  auto_https off";
  const block = site.replaceAll("127.0.0.1:5000", `127.0.0.1:${parleyPort}`);
  const address = `http://127.0.0.1:${port}`;
  writeFileSync(file, `{\n  ${options}\n}\n${address} {\n  bind 127.0.0.1\n  ${block}\n}\n`);
  const child = spawn("caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = once(child, "exit");
  let said = "";
  const listening = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("serving initial configuration")) resolve();
    });
    child.once("exit", () => reject(new Error(`Caddy did not start: ${said}`)));
  });
  await deadline(listening, START_MS, "Caddy listens");
  return {
    origin: address,
    close: async () => {
      child.kill("SIGTERM");
      await gone;
      rmSync(folder, { recursive: true });
    },
  };
}
