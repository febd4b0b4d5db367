import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * A full collection, for where much memory beside V8's heap has just become free. V8 hardly sees that
 * memory: left alone it keeps as much again as 50 large answers take together.
 */
export function createCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  return typeof collect === "function" ? () => void collect() : () => undefined;
}
