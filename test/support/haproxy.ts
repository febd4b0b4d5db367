/** HAProxy as deploy/haproxy/haproxy.cfg sets it up, with the instances' ports in place of Docker's DNS. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { deadline } from "./http.ts";
import { until } from "./process.ts";

export interface Haproxy {
  readonly origin: string;
  /** Resolves once it sends calls to so many instances. */
  waitForUp(count: number): Promise<void>;
  close(): Promise<void>;
}

const CONFIGURATION = new URL("../../deploy/haproxy/haproxy.cfg", import.meta.url);
const STATE_MS = 20_000;
/** Column of `show stat`. */
const STATUS = 17;

/** `everyMs`: the time between two checks, if it is not to be that of the file. */
export async function startHaproxy(ports: readonly number[], everyMs?: number): Promise<Haproxy> {
  const folder = mkdtempSync(join(tmpdir(), "parley-haproxy-"));
  const port = await freePort();
  const file = join(folder, "haproxy.cfg");
  const socket = join(folder, "stats.sock");
  writeFileSync(file, configuration(port, socket, ports, everyMs));
  const child = spawn("haproxy", ["-db", "-f", file], { stdio: ["ignore", "pipe", "pipe"] });
  const gone = once(child, "exit");
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const countUp = async () => (await ask(socket, "show stat web 4 -1").catch(() => "")).split("\n");
  return {
    origin: `http://127.0.0.1:${port}`,
    waitForUp: (count) => {
      const isSo = async () => {
        if (child.exitCode !== null) throw new Error(`HAProxy has ended: ${said}`);
        return (await countUp()).filter((row) => row.split(",")[STATUS] === "UP").length === count;
      };
      return until(isSo, { label: `HAProxy sees ${count} instances`, timeoutMs: STATE_MS });
    },
    close: async () => {
      child.kill("SIGKILL");
      await gone;
      rmSync(folder, { recursive: true });
    },
  };
}

function configuration(
  port: number,
  socket: string,
  ports: readonly number[],
  everyMs: number | undefined,
): string {
  const servers = (rest: string) =>
    ports.map((one, at) => `    server web${at + 1} 127.0.0.1:${one}${rest}`).join("\n");
  const text = readFileSync(CONFIGURATION, "utf8")
    .replace("global\n", `global\n    stats socket ${socket}\n`)
    .replace("bind :::5000 v4v6", `bind 127.0.0.1:${port}`)
    .replace(/ *server-template web .* check .*/, servers(" check"))
    .replace(/ *server-template web .*/, servers(""));
  if (everyMs === undefined) return text;
  return text.replace(/\binter 1s fastinter 500ms downinter 500ms/, `inter ${everyMs}ms`);
}

/** A command of its management guide. */
async function ask(path: string, command: string): Promise<string> {
  const socket = createConnection(path);
  const read = async () => {
    socket.end(`${command}\n`);
    return (await socket.setEncoding("utf8").toArray()).join("");
  };
  return deadline(read(), STATE_MS, command).finally(() => socket.destroy());
}
