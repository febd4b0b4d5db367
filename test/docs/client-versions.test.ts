import { expect, test } from "vitest";
import { readDocument } from "../../scripts/docs/files.ts";

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  readonly dependencies: Versions;
  readonly optionalDependencies?: Versions;
  readonly devDependencies?: Versions;
}

const read = (path: string): Manifest => JSON.parse(readDocument(path)) as Manifest;

/** The versions in the last column of the row of a client. */
function versionsOf(client: string): readonly string[] {
  const lines = readDocument("docs/en/clients.md").split("\n");
  const row = lines.find((line) => line.startsWith(`| [${client}]`)) ?? "";
  return row.split("|").at(-2)?.trim().split(", ") ?? [];
}

test("the page on clients names the versions that are tested", () => {
  const { dependencies, optionalDependencies = {} } = read("test/clients/npm/package.json");
  const { devDependencies = {} } = read("package.json");
  const all = { ...devDependencies, ...dependencies, ...optionalDependencies };
  const packages = {
    "Codex CLI": ["codex-linux-x64"],
    "Claude Code": ["@anthropic-ai/claude-code-linux-x64"],
    opencode: ["opencode-linux-x64"],
    Cline: ["@cline/cli-linux-x64"],
    "Qwen Code": ["@qwen-code/qwen-code"],
    pi: ["@earendil-works/pi-coding-agent"],
    Continue: ["@continuedev/cli"],
    LangChain: ["@langchain/openai"],
    "Vercel AI SDK": ["@ai-sdk/openai-compatible"],
    "OpenAI libraries": ["openai-3", "openai-4", "openai-5", "openai-6", "openai-7"],
    "Anthropic library": ["@anthropic-ai/sdk"],
  };
  for (const [client, names] of Object.entries(packages)) {
    const tested = names.map((name) => /\d+\.\d+\.\d+/.exec(all[name] ?? "")?.[0]);
    expect([client, versionsOf(client)]).toEqual([client, tested]);
  }
});
