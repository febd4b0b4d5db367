import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Hono's own router, asked once for each path without parameters: most calls are for these few. No
 * handler of ours hands on to the next, so only the first that matches is of use.
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
      // these paths are few, and so are the methods that Node's parser knows
      if (fixed.has(path)) found.set(key, first);
      return first;
    },
  };
}

function firstOf<T>([handlers]: Result<T>): Result<T> {
  return [handlers.slice(0, 1)] as Result<T>; // a trie has its parameters beside each handler
}
