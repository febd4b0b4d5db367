import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Setting } from "../src/config/kinds.ts";
import { settings } from "../src/config/settings.ts";

const compose = readFileSync(new URL("../docker-compose.yml", import.meta.url), "utf8");
const passed = [...compose.matchAll(/^ {6}([A-Z_]+): /gm)].map(([, name = ""]) => name);

describe("docker-compose.yml", () => {
  test("passes every setting on, and none that is not", () => {
    const wanted = Object.entries<Setting>(settings).flatMap(([name, { secret }]) =>
      secret === true ? [name, `${name}_FILE`] : [name],
    );
    // LANG comes from .env alone, as the shell has a LANG of its own
    expect(passed.toSorted()).toEqual(wanted.filter((name) => name !== "LANG").toSorted());
  });

  test("limits callers and bakes no secret in", () => {
    for (const name of ["SECOND_LIMIT", "MINUTE_LIMIT", "HOUR_LIMIT", "STREAM_LIMIT"]) {
      expect(compose).toMatch(new RegExp(`${name}: "\\$\\{${name}:-[1-9]\\d*\\}"`));
    }
    for (const [name, { secret, aliases = [] }] of Object.entries<Setting>(settings)) {
      const old = aliases.reduceRight((rest, alias) => `\${${alias}:-${rest}}`, "");
      if (secret === true) expect(compose).toContain(`${name}: "\${${name}:-${old}}"`);
    }
  });
});
