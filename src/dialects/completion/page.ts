import type { ResponseHeaders } from "../../http/reply/response-headers.ts";
import { htmlTag, type Language, type Translate } from "../../locales.ts";

/** The page loads, runs and sends nothing, and no other page may frame it. */
export const HELP_HEADERS: Readonly<ResponseHeaders> = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}" +
  "pre{overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;padding:1rem;border:1px solid}dt{font-family:monospace;font-weight:bold}";

/** In the locales, with `_` for `-`. */
const FIELDS = ["access-token", "openai-token", "prompt", "messages", "generate_params"];

/** `GET /chat_complete`: how to call it, in the caller's language. */
export function writeHelpPage(translate: Translate, language: Language, model: string): string {
  const text = (key: string) => escaped(translate(language, `completion_page.${key}`));
  const fields = FIELDS.map(
    (name) => `<dt>${name}</dt><dd>${text(name.replace("-", "_"))}</dd>`,
  ).join("\n");
  return `<!doctype html>
<html lang="${escaped(htmlTag(language))}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>POST /chat_complete</title>
<style>${STYLE}</style>
</head>
<body>
<h1>POST /chat_complete</h1>
<p>${text("intro")}</p>
<dl>
${fields}
</dl>
<pre>${escaped(exampleWith(model))}</pre>
<p>${text("answer")}</p>
<p>${text("stream")}</p>
<p>${text("failure")}</p>
</body>
</html>
`;
}

function exampleWith(model: string): string {
  return `import requests

headers = {"access-token": "...", "openai-token": "sk-..."}
data = {
    "prompt": "Hello!",
    "generate_params": {"model_name": ${JSON.stringify(model)}, "temperature": 0.8},
}
r = requests.post("http://127.0.0.1:5000/chat_complete", json=data, headers=headers)
print(r.status_code, r.json()["text"])`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
