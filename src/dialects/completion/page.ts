import type { IncomingMessage } from "node:http";
import { escaped, writePage } from "../../http/reply/page.ts";
import type { Language, Translate } from "../../locales.ts";

/** In the locales, with `_` for `-`. */
const FIELDS = ["access-token", "openai-token", "prompt", "messages", "generate_params"];

/** `GET /chat_complete`: how to call it, in the caller's language. */
export function writeHelpPage(
  translate: Translate,
  language: Language,
  { model, address }: Readonly<{ model: string; address: string }>,
): string {
  const text = (key: string) => escaped(translate(language, `completion_page.${key}`));
  const fields = FIELDS.map(
    (name) => `<dt>${name}</dt><dd>${text(name.replace("-", "_"))}</dd>`,
  ).join("\n");
  const body = `<h1>POST /chat_complete</h1>
<p>${text("intro")}</p>
<dl>
${fields}
</dl>
<pre>${escaped(exampleWith(model, address))}</pre>
<p>${text("answer")}</p>
<p>${text("stream")}</p>
<p>${text("failure")}</p>`;
  return writePage(language, "POST /chat_complete", body);
}

/** Where the page was opened, as far as the request tells. A proxy names what it has changed. */
export function addressOf({ headers, url = "" }: IncomingMessage): string {
  const host = HOST.test(headers.host ?? "") ? headers.host : "127.0.0.1:5000";
  const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
  const prefix = String(headers["x-forwarded-prefix"] ?? "");
  const [path = ""] = url.split("?", 1);
  return `${scheme}://${host}${PREFIX.test(prefix) ? prefix : ""}${path}`;
}

const HOST = /^[\w.:[\]-]{1,255}$/;
const PREFIX = /^(?:\/[\w.~-]{1,64}){1,8}$/;

function exampleWith(model: string, address: string): string {
  return `import requests

headers = {"access-token": "...", "openai-token": "sk-..."}
data = {
    "prompt": "Hello!",
    "generate_params": {"model_name": ${JSON.stringify(model)}, "temperature": 0.8},
}
r = requests.post(${JSON.stringify(address)}, json=data, headers=headers)
print(r.status_code, r.json()["text"])`;
}
