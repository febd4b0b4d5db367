import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type CachedFile, createCachedFile, once } from "./wire.ts";

const require = createRequire(import.meta.url);
const SCRIPT_TYPE = "text/javascript; charset=utf-8";

/** Swagger UI, and the few lines that start it. */
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

type AssetName = keyof typeof files;
export const assetNames = Object.keys(files) as AssetName[]; // the keys of a constant

/** Reads each file at its first use. Undefined for any other name: a name never becomes a path. */
export function createAssets(): (name: string) => Promise<CachedFile> | undefined {
  const assets = new Map<string, () => Promise<CachedFile>>();
  for (const [name, { path, type }] of Object.entries(files)) {
    const read = async () => createCachedFile(await readFile(path()), type, type !== "image/png");
    assets.set(name, once(read));
  }
  return (name) => assets.get(name)?.();
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
