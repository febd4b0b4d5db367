/** A client of gRPC in Python, whose library is another than that of Node.js. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { protoPath } from "../grpc.ts";
import { python } from "../needs.ts";
import { answerTo, type Tally } from "./tally.ts";

const SCRIPT = fileURLToPath(new URL("./client.py", import.meta.url));

interface Line {
  readonly prompt: string;
  readonly text?: string;
  readonly id?: string;
  readonly error?: string;
}

/** Asks until it is stopped. */
export function startPythonClient(target: string, name: string, tally: Tally) {
  const folder = mkdtempSync(join(tmpdir(), "parley-protoc-"));
  const file = basename(protoPath);
  execFileSync("protoc", [`-I${dirname(protoPath)}`, `--python_out=${folder}`, file]);
  const child = spawn(python ?? "python3", [SCRIPT, target, name], {
    env: { PATH: process.env.PATH ?? "", PYTHONPATH: folder },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const read = async () => {
    for await (const text of createInterface(child.stdout)) {
      const { prompt, error, ...answer } = JSON.parse(text) as Line;
      if (answer.text === answerTo(prompt) && answer.id) tally.answered(prompt, answer.id);
      else tally.failed(prompt, error ?? text);
    }
    rmSync(folder, { recursive: true });
  };
  const ended = read();
  return {
    async stop(): Promise<void> {
      child.stdin.end();
      await ended;
    },
  };
}
