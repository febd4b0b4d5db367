import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type CachedFile, createCachedFile, once } from "./wire.ts";

const require = createRequire(import.meta.url);
const SCRIPT_TYPE = "text/javascript; charset=utf-8";

const assetTypes = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": SCRIPT_TYPE,
  "favicon-32x32.png": "image/png",
  "start.js": SCRIPT_TYPE,
} as const;

type AssetName = keyof typeof assetTypes;
export const assetNames = Object.keys(assetTypes) as AssetName[]; // the keys of a constant

/** Reads each file at its first use. Undefined for any other name: a name never becomes a path. */
export function createAssets(): (name: string) => Promise<CachedFile> | undefined {
  const assets = new Map<string, () => Promise<CachedFile>>();
  for (const name of assetNames) {
    const type = assetTypes[name];
    const read = async () =>
      createCachedFile(await readFile(pathOf(name)), type, type !== "image/png");
    assets.set(name, once(read));
  }
  return (name) => assets.get(name)?.();
}

/** Swagger UI's own files, and the script that starts it. */
function pathOf(name: AssetName): string | URL {
  if (name === "start.js") return new URL("./start.js", import.meta.url);
  return join(dirname(require.resolve("swagger-ui-dist/package.json")), name);
}

/** The page loads from its own origin only, and has no inline scripts or styles. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // pictures inside the style sheet
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** All addresses are relative, so that the page works below any path that a proxy puts in front. */
export function writeDocsPage(at: "/docs" | "/docs/"): string {
  const asset = (name: AssetName) => (at === "/docs" ? `docs/${name}` : name);
  const document = at === "/docs" ? "openapi.json" : "../openapi.json";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parley: API</title>
<link rel="icon" type="image/png" href="${asset("favicon-32x32.png")}">
<link rel="stylesheet" href="${asset("swagger-ui.css")}">
</head>
<body>
<div id="swagger-ui" data-document="${document}"></div>
<noscript>This page needs JavaScript. The same is in <a href="${document}">openapi.json</a>.</noscript>
<script src="${asset("swagger-ui-bundle.js")}"></script>
<script src="${asset("start.js")}"></script>
</body>
</html>
`;
}
