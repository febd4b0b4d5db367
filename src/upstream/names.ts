import { createKnownSecrets, holdsRunOf, type KnownSecrets } from "../core/known-secrets.ts";
import { REMOVED } from "../core/redact.ts";

interface Names {
  readonly model: string | null;
  readonly upstreamId: string | null;
  readonly finishReason?: string | null;
}

const FIELDS = ["model", "upstreamId", "finishReason"] as const;

/** Takes names out of what is read of a good answer if they hold a part of a secret. */
export type CleanNames = <T extends Names>(answer: T, key: string) => T;

/** Names go into the ledger, which holds no key. A call's own key is looked for, too. */
export function createCleanNames(secrets: readonly string[]): CleanNames {
  let known: KnownSecrets | null = null;
  const ofServer = new Set(secrets);
  return (answer, key) => {
    known ??= createKnownSecrets(secrets);
    let cleaned = answer;
    for (const field of FIELDS) {
      const name = answer[field];
      if (typeof name !== "string") continue;
      if (!known.holdsRun(name) && (ofServer.has(key) || !holdsRunOf(key, name))) continue;
      cleaned = { ...cleaned, [field]: REMOVED };
    }
    return cleaned;
  };
}
