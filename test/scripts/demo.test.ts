import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { deadline, openStream } from "../support/http.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const READY_MS = 60_000;
const END_MS = 20_000;

interface RunningDemo {
  readonly lines: string[];
  /** Its own temporary files; npm has some, too. */
  written(): readonly string[];
  /** The first line with this in it. */
  said(part: string): Promise<string>;
  /** As a terminal does for Ctrl-C. */
  interrupt(): void;
  readonly exit: Promise<number | null>;
}

/** As a stranger runs it. */
function runDemo(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningDemo {
  const folder = mkdtempSync(join(tmpdir(), "demo-test-"));
  const demo = spawn("npm", ["run", "--silent", "demo", "--", ...args], {
    cwd: PROJECT,
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", TMPDIR: folder, ...env },
    // a group of its own, as a shell gives it
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  for (const output of [demo.stdout, demo.stderr]) {
    createInterface(output).on("line", (line) => {
      lines.push(line);
      demo.emit("said");
    });
  }
  const exit = once(demo, "close").then(([code]) => code as number | null);
  onTestFinished(async () => {
    if (!isOver(demo)) killGroup(demo, "SIGINT");
    await deadline(exit, END_MS, "the end of the demo");
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    lines,
    written: () => readdirSync(folder).filter((name) => name.startsWith("parley-")),
    exit,
    interrupt: () => killGroup(demo, "SIGINT"),
    said: (part) => deadline(lineWith(demo, lines, part), READY_MS, part),
  };
}

async function lineWith(demo: ChildProcess, lines: readonly string[], part: string) {
  for (;;) {
    const found = lines.find((line) => line.includes(part));
    if (found !== undefined) return found;
    if (isOver(demo)) throw new Error(`ended: ${lines.join("\n")}`);
    await Promise.race([once(demo, "said"), once(demo, "close")]);
  }
}

/** npm ends by the signal that it was sent. */
const isOver = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, signal);
}

const lastWord = (line: string) => line.trim().split(" ").at(-1) ?? "";

test("a stranger sees a streamed answer, a token's quotas and the operator's figures", async () => {
  const demo = runDemo(["--port", "0"]);
  const url = lastWord(await demo.said("Ask a question"));
  const api = lastWord(await demo.said("For programs"));
  const holder = lastWord(await demo.said("token ("));
  const operator = lastWord(await demo.said("ADMIN_TOKEN"));

  const question = { user_content: "Почему небо голубое?", stream: true };
  const stream = await openStream(api, question, { headers: { "accept-language": "ru" } });
  expect(stream.status).toBe(200);
  const events = await Array.fromAsync(stream.events);
  expect(events.length).toBeGreaterThan(20);
  expect(events.at(-2)).toContain("рассеивает");
  expect(events.at(-1)).toBe("[DONE]");

  const page = await fetch(url, { headers: { accept: "text/html" } });
  expect(page.headers.get("content-type")).toContain("text/html");
  const usage = await json(`${url}usage`, holder);
  expect(usage).toMatchObject({ token: { name: "Alice Moreau", state: "active" } });
  const { usage: byToken } = await json(`${url}admin/usage?by=token`, operator);
  expect(byToken.length).toBeGreaterThan(13);

  const { last_24h: hours } = await json(`${url}status`, holder);
  expect(hours[0].answered).toBeGreaterThan(0);

  demo.interrupt();
  await deadline(demo.exit, END_MS, "the end");
  expect(demo.lines.at(-1)).toBe("Ended, data removed.");
  expect(demo.written()).toEqual([]);
});

// biome-ignore lint/suspicious/noExplicitAny: whatever the server says
async function json(url: string, token: string): Promise<any> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  return response.json();
}

describe("the demo starts nothing and says why", () => {
  test.each(["DATABASE_URL", "DATABASE_ADDRESS"])("if %s is set", async (name) => {
    const demo = runDemo(["--port", "0"], { [name]: "postgres://nobody@127.0.0.1:1/x" });
    expect(await demo.exit).toBe(1);
    expect(demo.lines.join("\n")).toContain(`demo: ${name} is set.`);
    expect(demo.written()).toEqual([]);
  });

  test("if its port is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? address?.port : 0;
    const demo = runDemo(["--port", String(port)]);
    expect(await demo.exit).toBe(1);
    expect(demo.lines.join("\n")).toContain(`demo: Port ${port} is in use.`);
    expect(demo.written()).toEqual([]);
  });

  test.each(["x", "-1", "65536", "1.5", ""])("if the port is %j", async (port) => {
    const demo = runDemo([`--port=${port}`]);
    expect(await demo.exit).toBe(1);
    expect(demo.lines.join("\n")).toContain(`demo: --port ${port}: give a number`);
  });

  test("if an option is unknown", async () => {
    const demo = runDemo(["--prot", "1"]);
    expect(await demo.exit).toBe(2);
    expect(demo.lines.join("\n")).toContain("--prot");
  });

  test("if the folder to keep is not empty", async () => {
    const folder = mkdtempSync(join(tmpdir(), "demo-kept-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, "data"));
    writeFileSync(join(folder, "data", "parley.sqlite"), "somebody's data");
    const demo = runDemo(["--port", "0", "--keep", folder]);
    expect(await demo.exit).toBe(1);
    expect(demo.lines.join("\n")).toContain("the folder is not empty");
    expect(readdirSync(folder)).toEqual(["data"]);
  });
});

test("the demo keeps its data in the folder that is named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "demo-kept-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const demo = runDemo(["--port", "0", "--keep", folder]);
  await demo.said("Ctrl-C ends the demo.");
  demo.interrupt();
  await deadline(demo.exit, END_MS, "the end");
  expect(readdirSync(folder)).toContain("parley.sqlite");
});
