// Starts the server once and ends it, so that Node has compiled what somebody will wait for.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const [script] = process.argv.slice(2);
const MOST_MS = 60_000;
const settings = { HOST: "127.0.0.1", PORT: "5000", GRPC_PORT: "5001", DATA_DIR: join(tmpdir(), "once") };
const server = spawn(process.execPath, [script], { env: { ...process.env, ...settings }, stdio: "inherit" });
const ended = once(server, "exit");
const lastMs = Date.now() + MOST_MS;
let ready = false;
while (!ready && server.exitCode === null && Date.now() < lastMs) {
  await wait(50);
  ready = (await fetch("http://127.0.0.1:5000/healthz").catch(() => null))?.ok === true;
}
// once: a second signal would cut it off
server.kill(ready ? "SIGTERM" : "SIGKILL");
const [code] = await ended;
process.exit(ready ? (code ?? 1) : 1);
