import { ProxyError } from "../errors.ts";
import { refusalOf } from "./quota.ts";
import type { Refusal } from "./reservation.ts";

/** Says whose quota has no room for the call, what it counts, and when it starts again. */
export function quotaExceeded({ refusedBy, group, retryAfterMs }: Refusal): ProxyError {
  const { kind, period, resetsAt } = refusedBy;
  const state = refusalOf(refusedBy, retryAfterMs !== null);
  const about = { quota: kind, period };
  const reset_at = new Date(resetsAt).toISOString();
  const wait = { retryAfterMs: retryAfterMs ?? Number.POSITIVE_INFINITY };
  if (group === null) {
    const details = { ...about, of: "token", reset_at };
    return new ProxyError("quota_exceeded", { params: { ...about, state }, details, ...wait });
  }
  const { name } = group;
  return new ProxyError("group_quota_exceeded", {
    params: { ...about, state, group: name },
    details: { ...about, of: "group", group: name, reset_at },
    ...wait,
  });
}
