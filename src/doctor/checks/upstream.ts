import { fault, ok, type RunCheck, skipped } from "../check.ts";

/** Do all upstreams answer, with each of their keys? */
export const checkUpstream: RunCheck = async ({ local }) => {
  const probed = await local.probeUpstreams();
  const asked = probed.filter((one) => one.ok !== null);
  if (asked.length === 0) return [skipped("upstream_none")];
  const failed = asked.filter((one) => one.ok === false);
  return failed.length === 0
    ? [ok("upstream_ok", { count: asked.length })]
    : failed.map(({ upstream, key, reason }) =>
        fault("upstream_failed", { upstream, key, reason }),
      );
};
