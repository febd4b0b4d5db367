/** Python with grpcio and protobuf, wherever on this machine it is; and classes made by protoc. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type RanScript, runPythonScript, type ScriptOptions } from "./scripts.ts";

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

/** Runs a script, named from the root of the project, with the classes of this .proto file beside it. */
export async function runPythonGrpc(
  script: string,
  proto: string,
  { env = {}, ...options }: ScriptOptions,
): Promise<RanScript> {
  const folder = mkdtempSync(join(tmpdir(), "parley-protoc-"));
  try {
    execFileSync("protoc", [`-I${dirname(proto)}`, `--python_out=${folder}`, basename(proto)]);
    return await runPythonScript(script, { ...options, env: { PYTHONPATH: folder, ...env } });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
