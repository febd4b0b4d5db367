import { allCommands } from "../../src/admin/all-commands.ts";
import { runCommand } from "../../src/admin/run.ts";
import { errorCodes } from "../../src/core/errors.ts";
import { statusesOf } from "../../src/http/reply/http-status.ts";
import { createTranslate, type Language } from "../../src/locales.ts";
import { withCode } from "./settings.ts";
import { table } from "./table.ts";

const translate = createTranslate();

/** Every error code with its HTTP status and text; `{name}` stands for a value. */
export function errorsTable(language: Language): string {
  const head = ["code", "http_status", "text"].map((key) => translate(language, `docs.${key}`));
  const rows = errorCodes.map((code) => {
    const text = translate(language, `error.${code}`).replaceAll(/{{(\w+)}}/g, "{$1}");
    return [`\`${code}\``, statusesOf(code).join(", "), withCode(text)];
  });
  return table(head, rows);
}

/** The help of each command, under a heading. */
export async function commandHelp(language: Language): Promise<string> {
  const sections = allCommands.map(async ({ name }) => {
    const help = await helpOf(name.split(" "), language);
    return `## parley ${name}\n\n${fenced(help)}`;
  });
  return [fenced(await helpOf([], language)), ...(await Promise.all(sections))].join("\n\n");
}

function fenced(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}

async function helpOf(command: readonly string[], language: Language): Promise<string> {
  let written = "";
  await runCommand([...command, "--help"], {
    env: { LANG: language },
    clock: { monotonicMs: () => 0, wallMs: () => 0, sleep: () => Promise.resolve() },
    readFile: () => "",
    readInput: () => Promise.resolve(""),
    write: (piece) => {
      written += piece;
      return Promise.resolve();
    },
    complain: () => undefined,
  });
  return written;
}
