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

/** Ordinary code takes a tenth of it. */
const SLOW_MS = 30;
/** When slow code has taken so long in all, no more is colored: it holds the page up. */
const MAX_SLOW_MS = 500;
let slowMs = 0;

/** Elements and text, never HTML. Null: of no known language, or there was too much slow code. */
export function colorsOf(text: string, name: string): ComponentChildren {
  const language = name.toLowerCase();
  if (slowMs > MAX_SLOW_MS || !known.registered(language)) return null;
  const began = performance.now();
  const { children } = known.highlight(language, text);
  const took = performance.now() - began;
  if (took > SLOW_MS) slowMs += took;
  return children.map(write);
}

function write(node: Node): ComponentChildren {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return null;
  const { className } = node.properties;
  const names = Array.isArray(className) ? className.join(" ") : "";
  return <span class={names}>{node.children.map(write)}</span>;
}
