/** The programs of this folder's package.json, each run with a home of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deadline } from "../../support/http.ts";

/** Two busy cores start one of these in ten seconds. */
const RUN_MS = 60_000;
const KILL_MS = 5_000;
const modules = fileURLToPath(new URL("./node_modules/", import.meta.url));
/** Not in /tmp, where Codex makes no links to itself. */
const homes = "/var/tmp";
/** What is not on this machine fails at once instead of waiting for a network. */
const NOWHERE = "http://127.0.0.1:9";

export interface Run {
  /** Below node_modules; with `.js` or `.mjs` at its end it is run by Node. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Their texts by their paths: `~/` is the home, all others are in the working directory. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const isInstalled = (program: string): boolean => existsSync(join(modules, program));

/** Runs one program after the other in one home, without input, and ends whatever they started. */
export async function runPrograms(runs: readonly Run[]): Promise<Ran> {
  const home = mkdtempSync(join(homes, "parley-client-"));
  try {
    let ran: Ran = { code: null, stdout: "", stderr: "" };
    for (const run of runs) ran = await runIn(home, run);
    return ran;
  } finally {
    killThoseAt(home);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runIn(home: string, { program, args, env = {}, files = {} }: Run): Promise<Ran> {
  const folder = join(home, "work");
  mkdirSync(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    const at = path.startsWith("~/") ? join(home, path.slice(2)) : join(folder, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  const path = join(modules, program);
  const [command, ...first] = /\.m?js$/.test(program) ? [process.execPath, path] : [path];
  const child = spawn(command ?? path, [...first, ...args], {
    cwd: folder,
    env: { ...usual(home), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  const closed = once(child, "close");
  try {
    const [code] = await deadline(closed, RUN_MS, program).catch((error: Error) => {
      throw new Error(`${error.message}:\n${out()}\n${err()}`, { cause: error });
    });
    return { code: typeof code === "number" ? code : null, stdout: out(), stderr: err() };
  } finally {
    if (child.exitCode === null) child.kill("SIGKILL");
    await deadline(closed, KILL_MS, `${program} is gone`);
  }
}

const usual = (home: string) => ({
  HOME: home,
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  LANG: "C.UTF-8",
  HTTPS_PROXY: NOWHERE,
  HTTP_PROXY: NOWHERE,
  NO_PROXY: "127.0.0.1,localhost",
  DO_NOT_TRACK: "1",
  DISABLE_TELEMETRY: "1",
});

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (part: string) => {
    text += part;
  });
  return () => text;
}

/** Some leave a process behind, which has the home of this run in its environment. */
function killThoseAt(home: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      if (variables.includes(`HOME=${home}`)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // ended meanwhile, or somebody else's
    }
  }
}
