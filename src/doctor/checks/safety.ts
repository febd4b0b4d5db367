import { type Finding, fault, ok, type RunCheck, warning } from "../check.ts";
import type { Local } from "../local.ts";

const FINE = 200;
const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

/** What is open that should not be? */
export const checkSafety: RunCheck = async ({ ask, local, url, isProxied }) => {
  const metrics = await ask("/metrics");
  const admin = await ask("/admin/tokens");
  const findings: Finding[] = [];
  // without METRICS_TOKEN they are shown to this machine
  const isOutside = isProxied || !LOOPBACK.test(url.hostname);
  if (metrics.status === FINE && isOutside) findings.push(fault("safety_metrics"));
  if (admin.status === FINE) findings.push(fault("safety_admin"));
  findings.push(...settingFindings(local));
  return findings.length > 0 ? findings : [ok("safety_ok")];
};

export type SafetySettings = Pick<Local, "isKeyOpen" | "areChatsOpen" | "weakSecrets">;

/** What the settings leave open. */
export function settingFindings(local: SafetySettings): readonly Finding[] {
  return [
    ...(local.isKeyOpen ? [warning("safety_key_open")] : []),
    ...(local.areChatsOpen ? [warning("safety_chats_open")] : []),
    ...local.weakSecrets.map((name) => warning("safety_weak", { name })),
  ];
}
