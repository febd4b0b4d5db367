import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { freePort } from "../support/free-port.ts";
import { createGrpcClient } from "../support/grpc.ts";
import { postJson } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import { launch } from "../support/process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;
beforeAll(() => {
  // far from the packages: what the image has is all there is
  folder = mkdtempSync(join(tmpdir(), "parley-bundle-"));
  cpSync(join(root, "dist"), folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

test("what the image runs answers over HTTP and gRPC", async () => {
  const grpcPort = await freePort();
  const env = { GRPC_PORT: String(grpcPort) };
  const { parley } = await startPair(env, { script: join(folder, "main.js") });
  for (const path of ["healthz", "openapi.json", "docs", "status"]) {
    expect((await fetch(`${parley.url}/${path}`)).status, path).toBe(200);
  }
  const page = await fetch(`${parley.url}/`, { headers: { accept: "text/html" } });
  expect(await page.text()).toMatch(/<script type="module" src="assets\/visitor-/);
  expect((await postJson(`${parley.url}/`, { user_content: "hi" })).status).toBe(200);
  const client = createGrpcClient(`127.0.0.1:${grpcPort}`);
  onTestFinished(() => client.close());
  expect((await client.ask({ prompt: "hi" })).text).not.toBe("");
});

test("the client of the shared store is in files that are read only where one is set", async () => {
  const without = mkdtempSync(join(tmpdir(), "parley-bundle-"));
  onTestFinished(() => rmSync(without, { recursive: true }));
  cpSync(folder, without, { recursive: true });
  const files = readdirSync(without).filter((name) => name.endsWith(".js"));
  const holding = files.filter((name) =>
    readFileSync(join(without, name), "utf8").includes("node_modules/ioredis/"),
  );
  for (const name of holding) rmSync(join(without, name));
  const script = join(without, "main.js");

  const { parley } = await startPair({}, { script });
  expect((await postJson(`${parley.url}/`, { user_content: "hi" })).status).toBe(200);

  const withStore = launch({ API_KEY: "sk-good", REDIS_URL: "redis://127.0.0.1:1" }, { script });
  onTestFinished(() => withStore.close());
  expect(await withStore.exit).not.toBe(0);
  expect(holding.some((name) => withStore.output.join("\n").includes(name))).toBe(true);
});

test("what the image runs has the command, and the licenses of all that is in it", () => {
  const said = execFileSync(process.execPath, [join(folder, "parley.js"), "--help"], {
    encoding: "utf8",
  });
  expect(said).toContain("parley token create");
  const licenses = readFileSync(join(folder, "LICENSES.txt"), "utf8");
  for (const name of Object.keys(packageJson.dependencies)) expect(licenses).toContain(`${name}: `);
});

test("the image is built by the bundler that is developed with", () => {
  const path = join(root, "docker/bundler/package.json");
  const { dependencies } = JSON.parse(readFileSync(path, "utf8"));
  expect(dependencies).toEqual({ rolldown: packageJson.devDependencies.rolldown });
});
