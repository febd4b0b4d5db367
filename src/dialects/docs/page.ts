import type { AssetName } from "./assets.ts";

/** Everything comes from here and nothing is written into the page: no other origin, no inline script. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // pictures inside of the style sheet
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * The page as it stands at `/docs` and, with the other base, at `/docs/`: all addresses in it are
 * relative, so that it works below any path that a proxy puts in front.
 */
export function writePage(at: "/docs" | "/docs/"): string {
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
<noscript>This page needs JavaScript. What it shows stands in <a href="${document}">openapi.json</a>.</noscript>
<script src="${asset("swagger-ui-bundle.js")}"></script>
<script src="${asset("start.js")}"></script>
</body>
</html>
`;
}
