/** Runs pieces of code as a reader would. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { python } from "./needs.ts";

const run = promisify(execFile);

type RunCode = (code: string) => Promise<{ readonly stdout: string }>;

export const shell: RunCode = (code) => run("sh", ["-c", code]);
export const pythonCode: RunCode = (code) => run(python ?? "python3", ["-c", code]);
export const javaScript: RunCode = (code) =>
  run(process.execPath, ["--input-type=module", "-e", code]);
