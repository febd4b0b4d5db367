/** `parley doctor` against a Parley behind nginx, with a fault or without. */
import { readFileSync } from "node:fs";
import { runCommand } from "../../../src/admin/run.ts";
import { systemClock } from "../../../src/clock.ts";
import type { CheckReport, Report } from "../../../src/doctor/report.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { startNginx } from "../../support/nginx.ts";
import { OPERATOR_KEY, type Scene, startScene } from "../../support/scene.ts";

export const ADMIN_TOKEN = "doctor-0123456789-abcdefghijkl";

const page = new URL("../../../docs/en/reverse-proxy.md", import.meta.url);

/** As the documents say. */
export const GOOD = /```nginx\n(location [\s\S]*?)```/.exec(readFileSync(page, "utf8"))?.[1] ?? "";

export interface Deployment extends Scene {
  readonly url: string;
  /** The settings of the server, for the command beside it. */
  readonly env: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string>>;

export async function startServer(more: Env = {}): Promise<Deployment> {
  const settings = {
    ADMIN_TOKEN,
    TRUSTED_PROXIES: "loopback",
    DAY_LIMIT: "100000",
    RETRIES: "0",
    ...more,
  };
  const scene = await startScene(settings);
  const { DATA_DIR } = scene.parley.config;
  const env = { ...settings, DATA_DIR, OPENAI_URL: scene.upstream.url, API_KEY: OPERATOR_KEY };
  return { ...scene, url: scene.parley.origin, env };
}

export async function startDeployment(location = GOOD, more: Env = {}): Promise<Deployment> {
  const server = await startServer(more);
  const { origin } = closeAfterFile(await startNginx(location, server.parley.port));
  return { ...server, url: origin };
}

export interface Diagnosis extends Report {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  check(id: string): CheckReport;
}

export async function diagnose(
  { url, env }: Pick<Deployment, "url" | "env">,
  ...args: readonly string[]
): Promise<Diagnosis> {
  const ran = await doctor(env, "--url", url, "--json", ...args);
  const report = JSON.parse(ran.out) as Report;
  const check = (id: string) => {
    const found = report.checks.find((one) => one.id === id);
    if (found === undefined) throw new Error(`${id} is missing: ${ran.out}`);
    return found;
  };
  return { ...ran, ...report, check };
}

/** The command in this process. */
export async function doctor(env: Env, ...args: readonly string[]) {
  let out = "";
  let err = "";
  const code = await runCommand(["doctor", ...args], {
    env,
    clock: systemClock,
    readFile: (path) => readFileSync(path, "utf8"),
    readInput: () => Promise.resolve(""),
    write: (piece) => {
      out += piece;
      return Promise.resolve();
    },
    complain: (line) => {
      err += `${line}\n`;
    },
  });
  return { code, out, err };
}
