/** Writes the generated texts of the documents, or with --check fails if one is out of date. */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { wantedDocuments } from "./docs/documents.ts";
import { absolute, readDocument } from "./docs/files.ts";

function currentText(path: string): string | null {
  try {
    return readDocument(path);
  } catch {
    return null;
  }
}

const check = process.argv.includes("--check");
for (const { path, text } of wantedDocuments()) {
  if (currentText(path) === text) continue;
  if (check) process.exitCode = 1;
  else writeFileSync(absolute(path), text);
  process.stdout.write(check ? `${path} is out of date: npm run docs\n` : `wrote ${path}\n`);
}
