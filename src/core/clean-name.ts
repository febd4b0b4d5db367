import { createKnownSecrets, type KnownSecrets, sharesRun } from "./known-secrets.ts";
import { REMOVED } from "./redact.ts";

/** A name that a service gives, such as a model's or an answer's id, unless a secret is in it. */
export type CleanName = (name: string, key: string) => string;

/**
 * Names are kept and shown of every call, so they are only compared with the secrets there are (about 1 µs).
 * What merely looks like a key may be an id by which a service finds its answer.
 */
export function createCleanName(secrets: readonly string[]): CleanName {
  const own = new Set(secrets);
  let known: KnownSecrets | null = null;
  return (name, key) => {
    known ??= createKnownSecrets(secrets);
    const hasSecret = known.hasRunIn(name) || (!own.has(key) && sharesRun(name, key));
    return hasSecret ? REMOVED : name;
  };
}
