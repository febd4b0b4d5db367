import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Kept, keep, onDemand } from "./kept.ts";

const require = createRequire(import.meta.url);
const SCRIPT_TYPE = "text/javascript; charset=utf-8";

/** What the page is made of: Swagger UI, and the few lines that start it. */
const files = {
  "swagger-ui.css": {
    path: () => require.resolve("swagger-ui-dist/swagger-ui.css"),
    type: "text/css; charset=utf-8",
  },
  "swagger-ui-bundle.js": {
    path: () => require.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
    type: SCRIPT_TYPE,
  },
  "favicon-32x32.png": {
    path: () => require.resolve("swagger-ui-dist/favicon-32x32.png"),
    type: "image/png",
  },
  "start.js": { path: () => new URL("./start.js", import.meta.url), type: SCRIPT_TYPE },
} as const;

export type AssetName = keyof typeof files;

/** Nothing else is ever read: a name is looked up here and never becomes a path. */
export const assetNames = Object.keys(files) as AssetName[]; // the keys of a constant

/** Each file is read when it is first asked for. Undefined for any other name. */
export function createAssets(): (name: string) => Promise<Kept> | undefined {
  const assets = new Map<string, () => Promise<Kept>>();
  for (const name of assetNames) {
    const { path, type } = files[name];
    assets.set(
      name,
      onDemand(async () => keep(await readFile(path()), type, type !== "image/png")),
    );
  }
  return (name) => assets.get(name)?.();
}
