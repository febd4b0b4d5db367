// What browsers are sent: the code and styles of pages/ and the texts of locales/, in one file that the
// server reads into memory. Names carry a digest of what is in them, so that they can be kept for ever.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { OutputChunk, Plugin, RolldownOptions } from "rolldown";

const LANGUAGES = ["en", "zh_CN", "zh_TW", "ru_RU"];
const PAGES = ["visitor", "holder", "status", "operator", "viewer"];
/** Pages with texts of their own: in the locales under their name, beside `page`. */
const WITH_OWN_TEXTS = ["operator", "viewer"];
const STYLES = ["base", "parts", "status"].map((name) => `pages/styles/${name}.css`);
/** Sheets of one page, after the one of all. */
const OWN_STYLES: Readonly<Record<string, readonly string[]>> = {
  visitor: ["pages/styles/answers.css"],
  viewer: ["pages/styles/viewer.css"],
  operator: ["operator", "operator-charts", "operator-forms"].map(
    (name) => `pages/styles/${name}.css`,
  ),
};
const RESULT = "pages.json";

const types = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json; charset=utf-8",
  svg: "image/svg+xml",
} as const;

interface BuiltFile {
  readonly type: string;
  readonly plain: string;
  readonly brotli: string;
  readonly gzip: string;
}

function packed(text: string, type: string): BuiltFile {
  const bytes = Buffer.from(text);
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  const brotli = brotliCompressSync(bytes, { params });
  const gzip = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  const [plain64, brotli64, gzip64] = [bytes, brotli, gzip].map((one) => one.toString("base64"));
  return { type, plain: plain64 ?? "", brotli: brotli64 ?? "", gzip: gzip64 ?? "" };
}

function hashed(name: string, extension: string, text: string): string {
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${name}-${digest}.${extension}`;
}

/** Without comments and indentation. */
function squeezed(path: string): string {
  return readFileSync(path, "utf8")
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/\s*\n\s*/g, "\n")
    .trim();
}

const intoOneFile: Plugin = {
  name: "into-one-file",
  generateBundle(_options, bundle) {
    const files: Record<string, BuiltFile> = {};
    const add = (name: string, extension: keyof typeof types, text: string) => {
      const file = hashed(name, extension, text);
      files[file] = packed(text, types[extension]);
      return file;
    };
    const scripts: Record<string, readonly string[]> = {};
    for (const output of Object.values(bundle)) {
      if (output.type === "chunk") files[output.fileName] = packed(output.code, types.js);
      if (output.type === "chunk" && output.isEntry) scripts[output.name] = loadedBy(output);
      delete bundle[output.fileName];
    }
    const textsOf = (page: string) => {
      const own = WITH_OWN_TEXTS.includes(page) ? page : null;
      const prefix = own === null ? "" : `${own}-`;
      const added = LANGUAGES.map((language) => {
        const text = JSON.stringify(pageTexts(language, own));
        return [language, add(prefix + language, "json", text)] as const;
      });
      return [page, Object.fromEntries(added)] as const;
    };
    const common = add("style", "css", STYLES.map(squeezed).join("\n"));
    const stylesOf = (page: string) => {
      const own = OWN_STYLES[page];
      if (own === undefined) return [page, [common]] as const;
      return [page, [common, add(page, "css", own.map(squeezed).join("\n"))]] as const;
    };
    const built = {
      styles: Object.fromEntries(PAGES.map(stylesOf)),
      icon: add("icon", "svg", readFileSync("pages/icon.svg", "utf8").trim()),
      scripts,
      texts: Object.fromEntries(PAGES.map(textsOf)),
      files,
    };
    this.emitFile({ type: "asset", fileName: RESULT, source: JSON.stringify(built) });
  },
};

/** What all pages say, and under its name what this page says. */
function pageTexts(language: string, own: string | null): unknown {
  const texts = JSON.parse(readFileSync(`locales/${language}.json`, "utf8"));
  return own === null ? texts.page : { ...texts.page, [own]: texts[own] };
}

/** The page's own script first, then what it imports. */
function loadedBy({ fileName, imports }: OutputChunk): readonly string[] {
  return [fileName, ...imports];
}

const options: RolldownOptions = {
  input: Object.fromEntries(PAGES.map((page) => [page, `pages/${page}.tsx`])),
  platform: "browser",
  tsconfig: "pages/tsconfig.json",
  transform: { target: "es2022" },
  output: {
    dir: "src/dialects/pages",
    format: "esm",
    minify: true,
    entryFileNames: "[name]-[hash].js",
    chunkFileNames: "[name]-[hash].js",
    // a browser fetches six files at a time over HTTP/1.1; a seventh costs another round trip
    codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] },
  },
  plugins: [intoOneFile],
  // on a slow machine it warns that compressing takes long, in the first thing that a newcomer sees
  checks: { pluginTimings: false },
};
export default options;
