/** Several processes of Parley on one database, which are restarted one after the other. */
import { freePort } from "../free-port.ts";
import { deadline } from "../http.ts";
import { type Environment, type ParleyProcess, startProcess } from "../process.ts";

const END_MS = 60_000;

interface Ports {
  readonly http: number;
  readonly grpc: number;
}

export interface Copies {
  readonly ports: readonly Ports[];
  /** Stops the copy of this number with SIGTERM, waits for its end and starts it on the same ports. */
  restart(at: number): Promise<ParleyProcess>;
  /** Stops all in order. Resolves with what they and those before them logged. */
  stop(): Promise<readonly string[]>;
  /** Ends what still runs. */
  close(): Promise<void>;
}

export async function startCopies(count: number, env: Environment): Promise<Copies> {
  const ports: Ports[] = [];
  for (let at = 0; at < count; at += 1) {
    ports.push({ http: await freePort(), grpc: await freePort() });
  }
  const running: ParleyProcess[] = [];
  const output: string[] = [];
  const start = async (at: number) => {
    const { http = 0, grpc = 0 } = ports[at] ?? {};
    const own = { PORT: String(http), GRPC_PORT: String(grpc) };
    const copy = await startProcess({ ...env, ...own });
    running[at] = copy;
    return copy;
  };
  const stop = async (at: number) => {
    const copy = running[at];
    if (copy === undefined) throw new Error(`no copy ${at}`);
    copy.signal("SIGTERM");
    const code = await deadline(copy.exit, END_MS, "the copy ends");
    output.push(...copy.output);
    const last = copy.output.slice(-5).join("\n");
    if (code !== 0 || !/"cut":0.*"drained"/.test(last)) throw new Error(`not drained: ${last}`);
  };
  for (const at of ports.keys()) await start(at);
  return {
    ports,
    async restart(at) {
      await stop(at);
      return start(at);
    },
    async stop() {
      await Promise.all(running.map((_, at) => stop(at)));
      return output;
    },
    close: async () => void (await Promise.all(running.map((copy) => copy.close()))),
  };
}
