import { escaped, writePage } from "../../http/reply/page.ts";
import { htmlTag, type Language, languages } from "../../locales.ts";
import type { BuiltPage, BuiltPages } from "./built.ts";

/** Everything comes from this origin: no script or style inside the HTML, nothing evaluated. */
export const APP_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** What the visitor's page knows before it asks. */
export interface AskedBy {
  /** Where questions are posted. */
  readonly route: string;
  readonly model: string;
  readonly models: readonly string[];
  readonly maxTokens: number;
  readonly maxTokensLimit: number;
  readonly sharedKey: boolean;
  /** Of usage records; 0: without end. */
  readonly retentionDays: number;
}

interface PageOptions {
  readonly page: BuiltPage;
  readonly language: Language;
  readonly title: string;
  readonly noScript: string;
  readonly facts: AskedBy;
}

/** All addresses are relative: a proxy may have taken a prefix away. */
export function writeAppPage(built: BuiltPages, options: PageOptions): string {
  const { page, language, title, noScript, facts } = options;
  const [own = "", ...more] = built.scripts[page];
  const textFiles = built.texts[page];
  const data = {
    ...facts,
    route: `.${facts.route}`,
    language: htmlTag(language),
    texts: JSON.parse(String(built.files[textFiles[language]]?.plain ?? "{}")),
    textFiles: Object.fromEntries(
      languages.map((one) => [htmlTag(one), `assets/${textFiles[one]}`]),
    ),
  };
  return `<!doctype html>
<html lang="${htmlTag(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · Parley</title>
<link rel="icon" type="image/svg+xml" href="assets/${built.icon}">
${built.styles[page].map((file) => `<link rel="stylesheet" href="assets/${file}">`).join("\n")}
${more.map((file) => `<link rel="modulepreload" href="assets/${file}">`).join("\n")}
<script type="application/json" id="data">${forScript(data)}</script>
<script type="module" src="assets/${own}"></script>
</head>
<body>
<div id="page"></div>
<noscript>${escaped(noScript)}</noscript>
</body>
</html>
`;
}

/** Where the pages were not built: what to do. */
export function writeUnbuilt(language: Language, words: string): string {
  return writePage(language, "Parley", `<h1>Hello, World!</h1>\n<p>${escaped(words)}</p>`);
}

/** JSON that can't end the element it is in. */
function forScript(data: unknown): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}
