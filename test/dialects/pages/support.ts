/** The built pages, as the server reads them. They are built where dependencies are installed. */
import { readFileSync } from "node:fs";
import { postJson } from "../../support/http.ts";

interface BuiltFile {
  readonly type: string;
  readonly plain: string;
  readonly brotli: string;
  readonly gzip: string;
}

type Page = "visitor" | "holder" | "status" | "operator" | "viewer";

interface Built {
  readonly styles: Readonly<Record<Page, readonly string[]>>;
  readonly icon: string;
  readonly scripts: Readonly<Record<Page, readonly string[]>>;
  readonly texts: Readonly<
    Record<Page, Readonly<Record<"en" | "zh_CN" | "zh_TW" | "ru_RU", string>>>
  >;
  readonly files: Readonly<Record<string, BuiltFile>>;
}

/** Cast: rolldown.pages.config.ts wrote it. */
export const built = JSON.parse(
  readFileSync(new URL("../../../src/dialects/pages/pages.json", import.meta.url), "utf8"),
) as Built;

export const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

export const open = (url: string, headers: Readonly<Record<string, string>> = html) =>
  postJson(url, undefined, { method: "GET", headers });
