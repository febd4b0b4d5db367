import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const VERSION = "1.15.2";
/** With the newer ones that it would get today, every stream of it is answered 500. */
const OVERRIDES = { "@hono/node-server": "1.13.5", hono: "4.9.7" };

/** The script of Portkey's gateway, which is installed first where it is not there yet. */
export function installPortkey(say: (text: string) => void): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const folder = join(cache, "parley-bench", `portkey-${VERSION}`);
  const script = join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (existsSync(script)) return script;
  say(`installing @portkey-ai/gateway ${VERSION} into ${folder} …`);
  mkdirSync(folder, { recursive: true });
  const manifest = {
    private: true,
    dependencies: { "@portkey-ai/gateway": VERSION },
    overrides: OVERRIDES,
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const options = ["--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"];
  execFileSync("npm", ["install", ...options], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return script;
}
