import { periodKey } from "../core/accounts/quota.ts";
import type { Alert, KeptAlert } from "../core/alerts.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

type Subject = Pick<KeptAlert, "subject" | "mark" | "endsAt">;

/**
 * What an alert is about: a quota in its period, a key that rests in this hour, an upstream that changed
 * in this minute, a token on this day.
 */
export function subjectOf(alert: Alert, nowMs: number): Subject {
  switch (alert.type) {
    case "token.quota":
    case "group.quota": {
      const { id } = alert.type === "token.quota" ? alert.token : alert.group;
      const { quota, period, percent, resetsAt } = alert;
      const subject = `${alert.type} ${id} ${quota} ${periodKey(period, resetsAt - 1)}`;
      return { subject, mark: percent, endsAt: resetsAt };
    }
    case "key.cooldown": {
      const { upstream, key, reason } = alert;
      return within(`${alert.type} ${upstream} ${key} ${reason}`, HOUR_MS, nowMs);
    }
    case "upstream.open":
    case "upstream.closed":
      return within(`${alert.type} ${alert.upstream} ${alert.model}`, MINUTE_MS, nowMs);
    case "token.shared":
      return within(`${alert.type} ${alert.token.id}`, DAY_MS, nowMs);
  }
}

function within(name: string, spanMs: number, nowMs: number): Subject {
  const span = Math.floor(nowMs / spanMs);
  return { subject: `${name} ${span}`, mark: 1, endsAt: (span + 1) * spanMs };
}
