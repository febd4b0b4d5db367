import { type Finding, fault, ok, type ReachedWorld, type RunCheck, skipped } from "../check.ts";
import { jsonObject } from "../public-call.ts";

/** Of a block that nobody has (RFC 5737). */
const FORGED = "203.0.113.77";
/** Loopback and private: an outsider can't come from there. */
const INSIDE = /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1$|f[cd][0-9a-f]{2}:)/i;

/** Whose address does the server see, and can a client forge it? */
export const checkAddress: RunCheck = async (world) => {
  const plain = await whoami(world, {});
  const forged = await whoami(world, { "x-forwarded-for": FORGED });
  if (!world.isProxied && plain.forwarded === "none") return [skipped("address_direct")];
  const { address, peer } = plain;
  if (forged.address === FORGED) return [await believed(world, String(forged.peer))];
  if (plain.forwarded === "ignored") return [fault("address_untrusted", { peer: String(peer) })];
  if (plain.forwarded === "none") return [fault("address_unsent", { peer: String(peer) })];
  return [ok("address_ok", { address: String(address) })];
};

/** It is harmless if this machine's own address is trusted, which is the only one it could be checked from. */
async function believed({ ask, admin, local }: ReachedWorld, peer: string): Promise<Finding> {
  const params = { peer };
  if (local.trustsEverybody) return fault("address_all_trusted", params);
  if (typeof admin === "string") return skipped("address_unclear");
  const headers = { ...admin, "x-forwarded-for": FORGED };
  const { text } = await ask("/admin/doctor/request", { headers });
  const hops = String(jsonObject(text).forwarded_for ?? "")
    .split(",")
    .map((hop) => hop.trim());
  const added = hops.slice(hops.indexOf(FORGED) + 1);
  if (added.length === 0) return fault("address_passed_on", params);
  return added.every((hop) => INSIDE.test(hop))
    ? skipped("address_inside", { address: added.join(", ") })
    : fault("address_all_trusted", params);
}

async function whoami({ ask }: ReachedWorld, headers: Readonly<Record<string, string>>) {
  return jsonObject((await ask("/whoami", { headers })).text);
}
