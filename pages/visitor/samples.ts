import type { Sample } from "../shared/code-tabs.tsx";
import { data } from "../shared/data.ts";
import { labeled } from "../shared/format.ts";
import { t } from "../shared/texts.ts";

/** Where the reader's key goes. */
const KEY = "YOUR_KEY";
const INDENT = 2;

/** JSON that Python reads, too. */
function python(value: unknown): string {
  return JSON.stringify(value, null, 4)
    .replaceAll(/^( *"[^"]+": )true/gm, "$1True")
    .replaceAll("\n", "\n    ");
}

const shell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The very request as code. `withKey`: whether the server needs one. */
export function samplesOf(body: object, withKey: boolean): readonly Sample[] {
  const url = new URL(data.route, document.baseURI).href;
  const base = new URL("v1", document.baseURI).href;
  const json = JSON.stringify(body, null, INDENT);
  const streamed = { ...body, stream: true };
  const headers = withKey ? `\n    headers={"Authorization": "Bearer ${KEY}"},` : "";
  const auth = withKey ? ` \\\n  -H 'Authorization: Bearer ${KEY}'` : "";
  const post = (value: unknown, more = "") =>
    `requests.post(\n    ${JSON.stringify(url)},${headers}\n    json=${python(value)},${more}\n)`;
  const fetchHeaders = `{\n    "Content-Type": "application/json",${withKey ? `\n    Authorization: "Bearer ${KEY}",` : ""}\n  }`;
  const { messages, model, length } = asMessages(body);
  return [
    {
      name: "curl",
      shown: `curl ${shell(url)}${auth} \\\n  -H 'Content-Type: application/json' \\\n  -d ${shell(json)}`,
    },
    {
      name: "Python",
      shown: `import requests\n\nr = ${post(body)}\nprint(r.json()["data"]["response"])`,
    },
    {
      name: labeled("Python", t("visitor.code_conversation")),
      shown: `import requests\n\nbody = ${python(body).replaceAll("\n    ", "\n")}\nwhile True:\n    r = requests.post(${JSON.stringify(url)},${headers.replaceAll("\n   ", "")} json=body)\n    data = r.json()["data"]\n    print(data["response"])\n    body["continuous"] = data["continuous"]\n    body["user_content"] = input("> ")`,
    },
    {
      name: labeled("Python", t("visitor.code_stream")),
      shown: `import json\nimport requests\n\nr = ${post(streamed, "\n    stream=True,")}\nfor line in r.iter_lines():\n    if line.startswith(b"data: {"):\n        print(json.loads(line[6:])["data"].get("delta", ""), end="", flush=True)`,
    },
    {
      name: "JavaScript",
      shown: `const response = await fetch(${JSON.stringify(url)}, {\n  method: "POST",\n  headers: ${fetchHeaders},\n  body: JSON.stringify(${json.replaceAll("\n", "\n  ")}),\n});\nconst { data } = await response.json();\nconsole.log(data.response);`,
    },
    {
      name: "OpenAI SDK",
      shown: `from openai import OpenAI\n\nclient = OpenAI(base_url=${JSON.stringify(base)}, api_key="${KEY}")\nr = client.chat.completions.create(\n    model=${JSON.stringify(model)},\n    messages=${python(messages)},\n${length})\nprint(r.choices[0].message.content)`,
    },
  ];
}

function asMessages(body: object) {
  const { sys_content: system, user_content: question, continuous, ...more } = Object(body);
  const first = system === undefined ? [] : [{ role: "system", content: system }];
  const messages = [...first, ...(continuous ?? []), { role: "user", content: question }];
  const length = more.max_tokens === undefined ? "" : `    max_tokens=${more.max_tokens},\n`;
  return { messages, model: String(more.model), length };
}
