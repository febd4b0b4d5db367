/**
 * Takes pictures of all pages of the demo: four languages, light and dark, wide and narrow, with a sheet
 * of them all. With --readme, those that the READMEs show.
 */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Demo, startDemo } from "./demo/start.ts";
import { type Camera, openCamera } from "./shots/camera.ts";
import { missingForShots } from "./shots/needs.ts";
import { contactSheet } from "./shots/sheet.ts";
import { type ShotVariant, shotLanguages, shotVariants } from "./shots/variants.ts";
import { type ShotView, shotViews } from "./shots/views.ts";

const HELP = `Usage: npm run shots -- [options]

  --out FOLDER  write the pictures there: build/shots unless given
  --only NAME   of this view only; may be given several times
  --language L  in this language only: en, zh_CN, zh_TW, ru_RU; may be given several times
  --readme      write the pictures of the READMEs into docs/images instead
  --help        print this help

Views: ${shotViews.map(({ name }) => name).join(", ")}`;

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
/** Contexts of the browser at a time. */
const AT_ONCE = 2;
const README_VIEWS = ["visitor", "operator-week"];
const MAX_README_BYTES = 150_000;

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    only: { type: "string", multiple: true },
    language: { type: "string", multiple: true },
    readme: { type: "boolean" },
    help: { type: "boolean" },
  },
});
const views = shotViews.filter(({ name }) => values.only?.includes(name) ?? true);
const variants = shotVariants.filter(({ language }) => values.language?.includes(language) ?? true);
const missing = missingForShots();
if (values.help === true || views.length * variants.length === 0) console.log(HELP);
else if (missing.length > 0) {
  for (const line of missing) console.error(`shots: ${line}`);
  process.exitCode = 1;
} else await run();

async function run(): Promise<void> {
  const demo: Demo = await startDemo({ port: 0, keep: null });
  try {
    await demo.begun;
    const camera = await openCamera(demo);
    try {
      await (values.readme === true ? takeForReadmes(camera) : takeAll(camera));
    } finally {
      await camera.close();
    }
  } finally {
    await demo.close();
  }
}

async function takeAll(camera: Camera): Promise<void> {
  const folder = values.out ?? join(PROJECT, "build/shots");
  const nameOf = ({ name }: ShotView, { language, scheme, width }: ShotVariant) =>
    `${name}-${language}-${scheme}-${width}.png`;
  const left = [...variants];
  const work = async (): Promise<void> => {
    for (let variant = left.shift(); variant !== undefined; variant = left.shift()) {
      const taken = variant;
      await camera.take(taken, views, (view) => join(folder, nameOf(view, taken)));
      console.log(`${taken.language} ${taken.scheme} ${taken.width}: ${views.length} pictures`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  writeFileSync(join(folder, "index.html"), contactSheet(views, variants, nameOf));
  console.log(`See ${join(folder, "index.html")}`);
}

/** Part of the repository, so small: what is in the window, light, one for each language. */
async function takeForReadmes(camera: Camera): Promise<void> {
  const folder = join(PROJECT, "docs/images");
  mkdirSync(folder, { recursive: true });
  const shown = shotViews
    .filter(({ name }) => README_VIEWS.includes(name))
    .map((view) => ({ ...view, isWhole: false }));
  for (const language of shotLanguages) {
    const suffix = language === "en" ? "" : `-${language}`;
    const fileOf = ({ name }: ShotView) => join(folder, `${name}${suffix}.png`);
    await camera.take({ language, scheme: "light", width: 1280 }, shown, fileOf);
    for (const view of shown) requireSmall(fileOf(view));
  }
}

function requireSmall(file: string): void {
  const { size } = statSync(file);
  console.log(`${file}: ${size} bytes`);
  if (size > MAX_README_BYTES) throw new Error(`${file} has more than ${MAX_README_BYTES} bytes`);
}
