/** Python clients of gRPC, with the classes that protoc makes for them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type RanScript, runPythonScript, type ScriptOptions } from "./scripts.ts";

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
