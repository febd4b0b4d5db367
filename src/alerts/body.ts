import type { Alert, ToldAlert } from "../core/alerts.ts";

/** The body of a webhook: its type, the time of the alert, and its facts in snake case. */
export function bodyOf({ type, ...facts }: Alert, nowMs: number): string {
  const timestamp = new Date(nowMs).toISOString();
  return JSON.stringify({ type, timestamp, data: shownFacts(facts) });
}

/** The same for those who look at it later. */
export function toldOf(alert: Alert, nowMs: number): Omit<ToldAlert, "id"> {
  const { type, ...facts } = alert;
  return {
    at: nowMs,
    event: type,
    subject: nameIn(alert),
    facts: JSON.stringify(shownFacts(facts)),
  };
}

function nameIn(alert: Alert): string {
  if ("token" in alert) return alert.token.name;
  return "group" in alert ? alert.group.name : alert.upstream;
}

function shownFacts(facts: Omit<Alert, "type">): Readonly<Record<string, unknown>> {
  const entries = Object.entries(facts).map(([name, value]) =>
    name === "resetsAt" ? ["resets_at", new Date(Number(value)).toISOString()] : [name, value],
  );
  return Object.fromEntries(entries);
}
