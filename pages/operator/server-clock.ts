const SECOND_MS = 1_000;

let aheadMs = 0;

/** `Date` tells the second that had begun when the server answered. */
export function noteServerTime(headers: Headers): void {
  const at = Date.parse(headers.get("date") ?? "");
  if (!Number.isNaN(at)) aheadMs = at + SECOND_MS - Date.now();
}

/** What the server's clock shows: this device's may be an hour off. */
export function serverNow(): number {
  return Date.now() + aheadMs;
}
