import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Hono's own router, with its results cached for paths without parameters, which most calls use. No
 * handler of ours calls the next one, so only the first match counts.
 */
export function createRouter<T>(): Router<T> {
  const trie = new TrieRouter<T>();
  const fixed = new Set<string>();
  const found = new Map<string, Result<T>>();

  return {
    name: "FirstMatch",
    add(method, path, handler) {
      if (!/[:*{?]/.test(path)) fixed.add(path);
      trie.add(method, path, handler);
    },
    match(method, path) {
      const key = `${method} ${path}`;
      const known = found.get(key);
      if (known !== undefined) return known;
      const first = firstOf(trie.match(method, path));
      // there are few such paths, and few methods in Node's parser
      if (fixed.has(path)) found.set(key, first);
      return first;
    },
  };
}

function firstOf<T>([handlers]: Result<T>): Result<T> {
  return [handlers.slice(0, 1)] as Result<T>; // a trie puts parameters into each entry
}
