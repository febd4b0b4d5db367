import type { Alert } from "../core/alerts.ts";

/** The body of a webhook: its type, the time of the alert, and its facts in snake case. */
export function bodyOf({ type, ...facts }: Alert, nowMs: number): string {
  const entries = Object.entries(facts).map(([name, value]) =>
    name === "resetsAt" ? ["resets_at", new Date(Number(value)).toISOString()] : [name, value],
  );
  const timestamp = new Date(nowMs).toISOString();
  return JSON.stringify({ type, timestamp, data: Object.fromEntries(entries) });
}
