/** Python with grpcio and protobuf, wherever on this machine it is; and classes made by protoc. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { deadline } from "./http.ts";

// biome-ignore lint/style/noProcessEnv: a test may look at where it runs
const surroundings = process.env;
const PYTHON_MS = 15_000;
/** Debian's own has its packages, whichever comes first in the path. */
const CANDIDATES = ["python3", "/usr/bin/python3"];

/** Null where there is none, or no protoc; with CI set a test has to say so. */
export function findPythonGrpc(): string | null {
  return (
    CANDIDATES.find((python) => {
      try {
        execFileSync(python, ["-c", "import grpc, google.protobuf"], { stdio: "ignore" });
        execFileSync("protoc", ["--version"], { stdio: "ignore" });
        return true;
      } catch {
        return false;
      }
    }) ?? null
  );
}

export const inCI = surroundings.CI !== undefined;

export interface Ran {
  readonly code: number;
  readonly output: string;
}

export interface PythonOptions {
  readonly args?: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a script with the classes of this .proto file beside it. */
export async function runPython(
  python: string,
  script: string,
  proto: string,
  { args = [], input = "", env = {} }: PythonOptions,
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), "parley-protoc-"));
  try {
    execFileSync("protoc", [`-I${dirname(proto)}`, `--python_out=${folder}`, basename(proto)]);
    const child = spawn(python, [script, ...args], {
      env: { ...surroundings, PYTHONPATH: folder, PYTHONIOENCODING: "utf-8", ...env },
    });
    return await deadline(outputOf(child, input), PYTHON_MS, script).finally(() => child.kill());
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same for any other program. */
export async function outputOf(child: ReturnType<typeof spawn>, input: string): Promise<Ran> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  child.stdin?.end(input);
  const [code] = await once(child, "close");
  return { code: Number(code), output };
}
