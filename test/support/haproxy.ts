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
  /** Host and port, as clients of gRPC take them. */
  readonly grpcTarget: string;
  /** Resolves once it sends calls to so many instances. */
  waitForUp(count: number): Promise<void>;
  close(): Promise<void>;
}

const CONFIGURATION = new URL("../../deploy/haproxy/haproxy.cfg", import.meta.url);
const STATE_MS = 20_000;
/** Column of `show stat`. */
const STATUS = 17;

export interface InstancePorts {
  readonly http: number;
  readonly grpc: number;
}

/** `everyMs`: the time between two checks, if it is not to be that of the file. */
export async function startHaproxy(
  instances: readonly InstancePorts[],
  everyMs?: number,
): Promise<Haproxy> {
  const folder = mkdtempSync(join(tmpdir(), "parley-haproxy-"));
  const own = { http: await freePort(), grpc: await freePort() };
  const file = join(folder, "haproxy.cfg");
  const socket = join(folder, "stats.sock");
  writeFileSync(file, configuration(own, socket, instances, everyMs));
  const child = spawn("haproxy", ["-db", "-f", file], { stdio: ["ignore", "pipe", "pipe"] });
  const gone = once(child, "exit");
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const countUp = async (backend: string) => {
    const rows = (await ask(socket, `show stat ${backend} 4 -1`).catch(() => "")).split("\n");
    return rows.filter((row) => row.split(",")[STATUS] === "UP").length;
  };
  return {
    origin: `http://127.0.0.1:${own.http}`,
    grpcTarget: `127.0.0.1:${own.grpc}`,
    waitForUp: (count) => {
      const isSo = async () => {
        if (child.exitCode !== null) throw new Error(`HAProxy has ended: ${said}`);
        return (await countUp("web")) === count && (await countUp("grpc")) === count;
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
  own: InstancePorts,
  socket: string,
  instances: readonly InstancePorts[],
  everyMs: number | undefined,
): string {
  const text = readFileSync(CONFIGURATION, "utf8")
    .replace("global\n", `global\n    stats socket ${socket}\n`)
    .replace(":::5000 v4v6", `127.0.0.1:${own.http}`)
    .replace(":::9000 v4v6", `127.0.0.1:${own.grpc}`)
    .replace(/ *server-template .*\n/g, (line) =>
      instances.map(({ http, grpc }, at) => serverOf(line, at, http, grpc)).join(""),
    );
  if (everyMs === undefined) return text;
  return text.replaceAll("inter 1s fastinter 500ms downinter 500ms", `inter ${everyMs}ms`);
}

function serverOf(template: string, at: number, http: number, grpc: number): string {
  return template
    .replace("server-template web 16", `server web${at + 1}`)
    .replace("web:5000", `127.0.0.1:${http}`)
    .replace("web:9000", `127.0.0.1:${grpc}`)
    .replace("check port 5000", `check port ${http}`)
    .replace(" resolvers docker init-addr none", "");
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
