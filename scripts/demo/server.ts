/** Parley as `npm start` runs it, in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DemoMistake } from "./options.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** Starting takes a second. Far longer means that the server hangs. */
const MAX_START_MS = 30_000;
/** SHUTDOWN_SECONDS, and what the process itself takes at most. */
const MAX_STOP_MS = 5_000;

export interface DemoServer {
  readonly port: number;
  /** Resolves when the process ends. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly port?: number;
  readonly error?: string;
}

/** Said before anything is written. */
export async function requireFreePort(port: number): Promise<void> {
  const trial = createServer();
  trial.listen(port, "127.0.0.1");
  await once(trial, "listening").catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "EADDRINUSE" ? "is in use" : `can't be used (${error.code})`;
    throw new DemoMistake(`Port ${port} ${why}. Choose another one: npm run demo -- --port 0`);
  });
  trial.close();
  await once(trial, "close");
}

export async function startServer(
  settings: Readonly<Record<string, string>>,
  folder: string,
): Promise<DemoServer> {
  const server = spawn(process.execPath, [MAIN], {
    // neither the environment nor a .env of the project has a say
    env: { ...settings, LC_ALL: "C.UTF-8" },
    cwd: folder,
    // Ctrl-C is for the demo, which ends the server
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "exit");
  // also after a mistake of ours
  process.once("exit", () => server.kill("SIGKILL"));
  const late = setTimeout(() => server.kill("SIGKILL"), MAX_START_MS);
  const port = await portOf(server).finally(() => clearTimeout(late));
  return {
    port,
    ended,
    async stop() {
      server.kill("SIGTERM");
      const killed = setTimeout(() => server.kill("SIGKILL"), MAX_STOP_MS);
      await ended;
      clearTimeout(killed);
    },
  };
}

/** Waits for the log line that names the port; what goes wrong later is shown. */
function portOf({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error("the server has no output");
  const lines = createInterface(stdout);
  let last = "";
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      last = line;
      const { level, msg, port }: LogLine = line.startsWith("{") ? JSON.parse(line) : {};
      if (msg === "listening" && port !== undefined) resolve(port);
      if (level === "error") console.error(line);
    });
    lines.on("close", () => reject(new Error(`the server did not start: ${last}`)));
  });
}
