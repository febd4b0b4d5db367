/** `parley doctor` against a Parley behind nginx, with a fault or without. */
import { runCommand } from "../../../src/admin/run.ts";
import { systemClock } from "../../../src/clock.ts";
import type { CheckReport, Report } from "../../../src/doctor/report.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { startNginx } from "../../support/nginx.ts";
import { OPERATOR_KEY, type Scene, startScene } from "../../support/scene.ts";

export const ADMIN_TOKEN = "doctor-0123456789-abcdefghijkl";

/** As docs/en/reverse-proxy.md has it. */
export const GOOD = `location / {
  proxy_pass http://127.0.0.1:5000;
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_buffering off;
  proxy_read_timeout 900s;
  client_max_body_size 2m;
}
location = /ask {
  proxy_pass http://127.0.0.1:5000;
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection upgrade;
  proxy_read_timeout 900s;
}`;

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
    readFile: () => "",
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
