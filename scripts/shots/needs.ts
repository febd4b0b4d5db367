/** What pictures of pages need from this machine. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromiumProgram } from "../../test/support/needs.ts";

/** Chromium takes another script's letters where these are missing, or draws boxes. */
const FONTS = ["zh-cn", "zh-tw", "ru"] as const;

/** A line for each thing that is missing, with what installs it on Debian. */
export function missingForShots(): readonly string[] {
  const lines: string[] = [];
  if (!existsSync(chromiumProgram)) {
    lines.push("There is no Chromium: apt-get install chromium");
  }
  const missing = FONTS.filter((language) => !hasFont(language));
  if (missing.length > 0) {
    lines.push(
      `No font has the letters of ${missing.join(", ")}: apt-get install fonts-noto-core fonts-noto-cjk`,
    );
  }
  return lines;
}

function hasFont(language: string): boolean {
  try {
    const list = execFileSync("fc-list", [`:lang=${language}`, "family"], { encoding: "utf8" });
    return list.trim() !== "";
  } catch {
    // without fontconfig, Chromium finds fonts by itself
    return true;
  }
}
