import { createCurrentSecrets, type SecretList, sharesRun } from "./known-secrets.ts";
import { REMOVED } from "./redact.ts";

/** A name that a service gives, such as a model's or an answer's id, unless a secret is in it. */
export type CleanName = (name: string, key: string) => string;

/**
 * Names are kept and shown of every call, so they are only compared with the secrets there are (about 1 µs).
 * What merely looks like a key may be an id by which a service finds its answer.
 */
export function createCleanName(given: SecretList): CleanName {
  const current = createCurrentSecrets(given);
  return (name, key) => {
    const { secrets, known } = current();
    const hasSecret = known.hasRunIn(name) || (!secrets.includes(key) && sharesRun(name, key));
    return hasSecret ? REMOVED : name;
  };
}
