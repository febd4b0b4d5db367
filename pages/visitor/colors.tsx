/** Loaded by itself, with the first answer that has code. */
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";
import type { ComponentChildren } from "preact";
import { createPatience } from "./patience.ts";

const known = createLowlight({
  bash,
  cpp,
  css,
  go,
  java,
  javascript,
  json,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
});

type Node = ReturnType<typeof known.highlight>["children"][number];

const attempt = createPatience(() => performance.now());

/** Elements and text, never HTML. Null: of no known language, or there was too much slow code. */
export function colorsOf(text: string, name: string): ComponentChildren {
  const language = name.toLowerCase();
  if (!known.registered(language)) return null;
  const root = attempt(() => known.highlight(language, text));
  return root === null ? null : root.children.map(write);
}

function write(node: Node): ComponentChildren {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return null;
  const { className } = node.properties;
  const names = Array.isArray(className) ? className.join(" ") : "";
  return <span class={names}>{node.children.map(write)}</span>;
}
