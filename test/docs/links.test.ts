import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { absolute, documentsOf, readDocument } from "../../scripts/docs/files.ts";
import { languages } from "../../src/locales.ts";
import { anchors, links, resolved } from "./markdown.ts";

const documents = [
  ...languages.flatMap(documentsOf),
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "bench/README.md",
];

test.each(documents)("every link of %s leads to a file and a heading", (from) => {
  const broken = links(readDocument(from)).filter((target) => {
    const to = resolved(from, target);
    if (to === null) return false;
    if (!existsSync(absolute(to.path))) return true;
    return to.anchor !== "" && !anchors(readDocument(to.path)).includes(to.anchor);
  });
  expect(broken).toEqual([]);
});

test.each(languages)("every page of %s is linked from its index", (language) => {
  const [, ...pages] = documentsOf(language);
  const index = `docs/${language}/README.md`;
  const linked = links(readDocument(index)).map((target) => resolved(index, target)?.path);
  expect(pages.filter((page) => page !== index && !linked.includes(page))).toEqual([]);
});

test("anchors follow GitHub's rule", () => {
  const page =
    "# `TRUSTED_PROXIES` & co.\n## 反向代理（nginx）\n## Обратный прокси\n## Обратный прокси";
  expect(anchors(page)).toEqual([
    "trusted_proxies--co",
    "反向代理nginx",
    "обратный-прокси",
    "обратный-прокси-1",
  ]);
});
