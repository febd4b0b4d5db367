/**
 * Shows Parley without an OpenAI key: starts the server as `npm start` does, with a fake OpenAI on
 * this machine, and asks it some questions. Exits with 1 if a response is not as expected.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startUpstream } from "../test/support/upstream.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
/** Starting takes a second. Far longer means that the server hangs. */
const START_MS = 20_000;
const LIMIT = 6;

const questions = {
  en: "Why is the sky blue?",
  "zh-CN": "天空为什么是蓝色的？",
  "zh-TW": "天空為什麼是藍色的？",
  ru: "Почему небо голубое?",
};

interface Envelope {
  readonly code: number;
  readonly msg: string;
  readonly data: { readonly response?: string; readonly delta?: string };
}

let failures = 0;

function show(what: string, said: string, asExpected: boolean): void {
  if (!asExpected) failures += 1;
  console.log(`${asExpected ? "ok " : "WRONG"} ${what.padEnd(14)} ${said}`);
}

async function post(url: string, language: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json", "accept-language": language };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Each question counts as one call. */
async function askInEveryLanguage(url: string): Promise<void> {
  for (const [language, question] of Object.entries(questions)) {
    const response = await post(url, language, { user_content: question });
    const { code, msg, data } = (await response.json()) as Envelope;
    const good = code === 200 && data.response === `echo: ${question}`;
    show(language, `${code} ${msg}: ${data.response}`, good);
  }
}

async function askForStream(url: string): Promise<void> {
  const question = "Tell me slowly";
  const response = await post(url, "en", { user_content: question, stream: true });
  const text = await response.text();
  const events = text.split("\n\n").filter((event) => event.startsWith("data: {"));
  const deltas = events
    .map((event) => (JSON.parse(event.slice("data: ".length)) as Envelope).data.delta)
    .filter((delta) => delta !== undefined);
  const good = deltas.join("") === `echo: ${question}` && text.endsWith("data: [DONE]\n\n");
  show("stream", deltas.map((delta) => `[${delta}]`).join(" "), good);
}

async function tripLimit(url: string): Promise<void> {
  await (await post(url, "en", { user_content: "the last one" })).text();
  for (const language of Object.keys(questions)) {
    const response = await post(url, language, { user_content: "one too many" });
    const { code, msg, data } = (await response.json()) as Envelope;
    const waitSeconds = Number(response.headers.get("retry-after"));
    const good = response.status === 429 && code === 429 && waitSeconds >= 1;
    show(`limit, ${language}`, `${code} ${msg}: ${data.response}`, good);
  }
}

/** Waits for the log line that names the port. */
async function portOf(parley: ChildProcess): Promise<number> {
  if (parley.stdout === null) throw new Error("the server has no output");
  for await (const line of createInterface(parley.stdout)) {
    const entry: { msg?: string; port?: number } = JSON.parse(line);
    if (entry.msg === "listening" && entry.port !== undefined) return entry.port;
  }
  throw new Error("the server ended before it listened");
}

const upstream = await startUpstream();
const folder = mkdtempSync(join(tmpdir(), "parley-try-"));
const parley = spawn(process.execPath, [MAIN], {
  env: {
    OPENAI_URL: upstream.url,
    API_KEY: "not-a-real-key",
    HOST: "127.0.0.1",
    PORT: "0",
    MINUTE_LIMIT: String(LIMIT),
    SHUTDOWN_SECONDS: "1",
    DATA_DIR: folder,
  },
  stdio: ["ignore", "pipe", "inherit"],
});
const exit = once(parley, "exit");
const late = setTimeout(() => parley.kill("SIGKILL"), START_MS);
try {
  const url = `http://127.0.0.1:${await portOf(parley)}/`;
  clearTimeout(late);
  console.log(`Parley runs at ${url} with ${LIMIT} calls per minute. Answers are echoes.\n`);
  await askInEveryLanguage(url);
  await askForStream(url);
  await tripLimit(url);
} finally {
  parley.stdout?.resume();
  parley.kill("SIGTERM");
  await exit;
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
}
console.log(failures === 0 ? "\nAll as expected." : `\n${failures} not as expected.`);
process.exitCode = failures === 0 ? 0 : 1;
