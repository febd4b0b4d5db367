/**
 * A line to a server on the loopback interface, in a process of its own, so that a busy test does not
 * slow it down: it can delay, lead elsewhere and be cut.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Line {
  readonly port: number;
  /** From now on every byte comes so much later, in both directions together. */
  delay(ms: number): void;
  /** Where new connections lead; open ones are cut unless they are to stay. */
  leadTo(port: number, open?: "cut" | "stay"): void;
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL("./line-process.ts", import.meta.url));

export async function startLine(target: number): Promise<Line> {
  const child = fork(PROGRAM, [String(target)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const gone = once(child, "exit");
  const [message] = await once(child, "message");
  const { port } = message as { port: number };
  return {
    port,
    delay: (ms) => void child.send({ delayMs: ms }),
    leadTo: (to, open = "cut") => void child.send({ target: to, cut: open === "cut" }),
    close: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
