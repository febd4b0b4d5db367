import { type Finding, fault, ok, type RunCheck, warning } from "../check.ts";

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
  if (local.isKeyOpen) findings.push(warning("safety_key_open"));
  if (local.areChatsOpen) findings.push(warning("safety_chats_open"));
  for (const name of local.weakSecrets) findings.push(warning("safety_weak", { name }));
  return findings.length > 0 ? findings : [ok("safety_ok")];
};
