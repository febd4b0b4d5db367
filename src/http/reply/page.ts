import { htmlTag, type Language } from "../../locales.ts";
import type { ResponseHeaders } from "./response-headers.ts";

/** The page loads, runs and sends nothing, and no other page may frame it. */
export const PAGE_HEADERS: Readonly<ResponseHeaders> = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

const STYLE =
  ":root{color-scheme:light dark;background:light-dark(#fbfbf9,#16191a);color:light-dark(#1c2321,#e6e9e7)}" +
  "body{font:15px/1.55 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}a{color:light-dark(#1f6355,#74c7b3)}" +
  "pre{overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;padding:1rem;border:1px solid}dt{font-family:monospace;font-weight:bold}";

/** A short page. `body` is HTML: its texts are escaped. */
export function writePage(language: Language, title: string, body: string): string {
  return `<!doctype html>
<html lang="${escaped(htmlTag(language))}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
