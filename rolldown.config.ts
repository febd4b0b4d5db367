// What the image runs: nearly all code in few files. Of 620 modules Node would find, read and link each
// by itself, which is half of the time to the first answer and a fifth of the memory at rest.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin, RolldownOptions } from "rolldown";

const PACKAGES = "node_modules";
/** They look for their .proto files in their own folders, so they stay packages. */
const KEPT = ["@grpc/grpc-js", "@grpc/proto-loader", "@grpc/reflection", "grpc-health-check"];
/** What kept packages ask for, but not to be required: a command line, types. */
const UNUSED = /^(yargs|@types\/.*)$/;
/** What rolldown.pages.config.ts puts into pages.json. */
const IN_PAGES = ["preact", "lowlight", "highlight.js", "devlop"].map(
  (name) => `${PACKAGES}/${name}`,
);
const CODE = /\.(js|json|proto)$/;
const LICENSE = /^(licen[cs]e|copying|notice)/i;

/** What is read as a file, beside the code that reads it. */
const files: readonly (readonly [name: string, path: string])[] = [
  ["ask.proto", "src/dialects/ask/grpc/ask.proto"],
  ["pages.json", "src/dialects/pages/pages.json"],
  ...withAllTheyNeed(KEPT).flatMap(codeOf),
];

const besideTheCode: Plugin = {
  name: "beside-the-code",
  generateBundle(_options, bundle) {
    const emit = (fileName: string, source: string | Uint8Array) =>
      void this.emitFile({ type: "asset", fileName, source });
    emit("package.json", JSON.stringify({ type: "module" }));
    for (const [name, path] of files) emit(name, readFileSync(path));
    const used = Object.values(bundle).flatMap((output) =>
      output.type === "chunk" ? output.moduleIds : [],
    );
    emit("LICENSES.txt", licensesOf([...used, ...files.map(([, path]) => path), ...IN_PAGES]));
  },
};

function withAllTheyNeed(packages: readonly string[]): readonly string[] {
  const all = new Set(packages);
  // a set goes on with what is added while it is gone through
  for (const name of all) {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(PACKAGES, name, "package.json"), "utf8"),
    );
    for (const needed of Object.keys(dependencies)) if (!UNUSED.test(needed)) all.add(needed);
  }
  return [...all];
}

function codeOf(name: string) {
  const folder = join(PACKAGES, name);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && CODE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/(tests?|scripts|sample|protobufjs\/dist)\//.test(path))
    .map((path) => [path, path] as const);
}

/** What the packages' authors ask for where their code is passed on. */
function licensesOf(paths: readonly string[]): string {
  const folders = paths.flatMap(
    (path) => /^.*\bnode_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  const packages = new Map(
    folders.map((folder) => [folder.replace(/^.*node_modules\//, ""), folder]),
  );
  return [...packages]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, folder]) =>
      readdirSync(folder)
        .filter((file) => LICENSE.test(file))
        .map((file) => `${name}: ${file}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`),
    )
    .join(`\n${"-".repeat(80)}\n\n`);
}

const options: RolldownOptions = {
  input: {
    main: "src/main.ts",
    parley: "src/admin/cli.ts",
    // a thread that the command starts by this name
    "progress-thread": "src/admin/progress-thread.ts",
  },
  platform: "node",
  external: KEPT,
  output: {
    dir: "dist",
    format: "esm",
    cleanDir: true,
    // all in one folder: import.meta.url then leads to the files beside the code
    chunkFileNames: "[name]-[hash].js",
  },
  plugins: [besideTheCode],
};
export default options;
