import { readFile } from "node:fs/promises";
import { z } from "zod";
import { languages } from "../../locales.ts";

const bytes = z.base64().transform((text) => Buffer.from(text, "base64"));
const builtFile = z.object({ type: z.string(), plain: bytes, brotli: bytes, gzip: bytes });

const pageNames = ["visitor", "holder", "status", "operator", "viewer"] as const;

/** What `npm run build:pages` wrote; rolldown.pages.config.ts has its form. */
const built = z.object({
  /** The sheet of all pages first, then the page's own. */
  styles: z.record(z.enum(pageNames), z.array(z.string())),
  icon: z.string(),
  scripts: z.record(z.enum(pageNames), z.array(z.string())),
  /** The file of a page's texts in each language. */
  texts: z.record(z.enum(pageNames), z.record(z.enum(languages), z.string())),
  files: z.record(z.string(), builtFile),
});

export type BuiltPages = z.output<typeof built>;
export type BuiltFile = z.output<typeof builtFile>;
export type BuiltPage = (typeof pageNames)[number];

/** Reads the pages at their first use. Null: they were not built. */
export function createBuiltPages(
  file = new URL("./pages.json", import.meta.url),
): () => Promise<BuiltPages | null> {
  let reading: Promise<BuiltPages | null> | null = null;
  return () => {
    reading ??= readBuilt(file).catch((error: unknown) => {
      reading = null;
      if (isMissing(error)) return null;
      throw error;
    });
    return reading;
  };
}

async function readBuilt(file: URL): Promise<BuiltPages> {
  return built.parse(JSON.parse(await readFile(file, "utf8")));
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
