import type { MaybePromise } from "../../core/maybe-promise.ts";
import type { OperatorRecord } from "../../core/ports.ts";
import { createSecretMatch } from "./bearer.ts";
import type { GuessBrake } from "./guess-brake.ts";
import type { SlowDigests } from "./slow-digest.ts";

export interface TokenCheckOptions {
  /** ADMIN_TOKEN, which goes before a token that was chosen. */
  readonly adminToken: string | null;
  readonly brake: GuessBrake;
  readonly digests: SlowDigests;
}

/** Whether a text is the operator's token. Rejects while the address must wait. */
export type TokenCheck = (given: string, bucket: string) => Promise<boolean>;

export function createTokenCheck(
  { adminToken, brake, digests }: TokenCheckOptions,
  record: () => MaybePromise<OperatorRecord>,
): TokenCheck {
  const isAdminToken = adminToken === null ? null : createSecretMatch(adminToken);
  const judged = (bucket: string, isRight: boolean): boolean => {
    brake.judge(bucket, isRight);
    return isRight;
  };
  const isChosen: TokenCheck = async (given, bucket) => {
    const { digest } = await record();
    if (digest === null) return judged(bucket, false);
    if (digests.isKnown(given, digest)) return judged(bucket, true);
    const same = digests.underWay(given);
    if (same === null) return brake.decide(bucket, () => digests.matches(given, digest));
    // several calls of one program at once are one question
    await same;
    return isChosen(given, bucket);
  };
  return isAdminToken === null
    ? isChosen
    : async (given, bucket) => judged(bucket, isAdminToken(given));
}
