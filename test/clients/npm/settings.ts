/** The settings that docs/en/clients.md tells users to make, for a server under test. */
import { readDocument } from "../../../scripts/docs/files.ts";

export const MODEL = "gpt-5";
export const SMALL_MODEL = "gpt-5-mini";
export const CLAUDE = "claude-sonnet-5";
export const SMALL_CLAUDE = "claude-haiku-4-5";

export interface Server {
  /** Without a path. */
  readonly origin: string;
  readonly token: string;
}

const page = readDocument("docs/en/clients.md");

/** The n-th block of code below a heading. */
export function settingsOf(client: string, server: Server, nth = 0): string {
  const [, section = ""] = page.split(`\n## ${client}\n`);
  const [own = ""] = section.split("\n## ");
  const block = Array.from(own.matchAll(/^```\w+\n([\s\S]*?)^```/gm), ([, code]) => code)[nth];
  if (block === undefined) throw new Error(`no settings for ${client}`);
  return block
    .replaceAll("https://api.example.org", server.origin)
    .replaceAll("YOUR_PARLEY_TOKEN", server.token);
}

/** What a block of `NAME=value` or `export NAME=value` sets. */
export function variablesIn(block: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(block.matchAll(/^(?:export )?(\w+)=(.*)$/gm), ([, name = "", value = ""]) => [
      name,
      value,
    ]),
  );
}
