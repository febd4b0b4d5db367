// Starts the server once and ends it, so that Node has compiled what somebody will wait for.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const [script] = process.argv.slice(2);
const settings = { HOST: "127.0.0.1", PORT: "5000", GRPC_PORT: "5001", DATA_DIR: join(tmpdir(), "once") };
const server = spawn(process.execPath, [script], { env: { ...process.env, ...settings }, stdio: "inherit" });
const ended = once(server, "exit");
while (server.exitCode === null) {
  const answer = await fetch("http://127.0.0.1:5000/healthz").catch(() => null);
  if (answer?.ok) server.kill("SIGTERM");
  await wait(50);
}
const [code] = await ended;
process.exit(code ?? 1);
