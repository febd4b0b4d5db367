/** Where the demo's data are: a folder of their own, always. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DemoMistake } from "./options.ts";

export interface DemoFolder {
  readonly path: string;
  readonly isKept: boolean;
  /** Removes it, unless it is kept. */
  leave(): void;
}

export function openFolder(keep: string | null): DemoFolder {
  if (keep === null) {
    const path = mkdtempSync(join(tmpdir(), "parley-demo-"));
    return { path, isKept: false, leave: () => rmSync(path, { recursive: true, force: true }) };
  }
  const path = resolve(keep);
  mkdirSync(path, { recursive: true });
  if (readdirSync(path).length > 0) {
    throw new DemoMistake(`--keep ${keep}: the folder is not empty. Name a new one.`);
  }
  return { path, isKept: true, leave: () => undefined };
}
