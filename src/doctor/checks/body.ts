import { type Finding, fault, ok, type ReachedWorld, skipped, withAdmin } from "../check.ts";
import { jsonObject } from "../public-call.ts";

const MEBIBYTE = 1_048_576;
const SMALL_BYTES = 1_024;
/** More is not sent: it would take longer than the other checks together. */
const MAX_SENT_BYTES = 8_388_608;
const TIMEOUT_MS = 20_000;
const TOO_LARGE = 413;

/** Do bodies pass up to MAX_BODY_BYTES, and does our own error come back beyond it? */
export const checkBody = withAdmin(async (world, headers) => {
  const { maxBodyBytes: max } = world.local;
  const sizes = [SMALL_BYTES, max - 1, max + 1].filter((bytes) => bytes <= MAX_SENT_BYTES);
  if (max + 1 > MAX_SENT_BYTES) sizes.push(MAX_SENT_BYTES);
  for (const bytes of sizes) {
    const finding = await sent(world, headers, bytes);
    if (finding !== null) return [finding];
  }
  return [ok("body_ok", { bytes: Math.min(max, MAX_SENT_BYTES) })];
});

async function sent(
  world: ReachedWorld,
  admin: Readonly<Record<string, string>>,
  bytes: number,
): Promise<Finding | null> {
  const { maxBodyBytes: max } = world.local;
  const frame = JSON.stringify({ text: "" }).length;
  const body = JSON.stringify({ text: "x".repeat(bytes - frame) });
  const headers = { ...admin, "content-type": "application/json" };
  const options = { method: "POST", headers, body, timeoutMs: TIMEOUT_MS };
  const answer = await world.ask("/admin/doctor/body", options).catch(() => null);
  const code = errorCode(answer?.text ?? "");
  const size = { bytes, max, megabytes: Math.ceil(max / MEBIBYTE) + 1 };
  if (bytes > max) return code === "body_too_large" ? null : fault("body_foreign_error", size);
  if (answer !== null && jsonObject(answer.text).bytes === bytes) return null;
  // this command's MAX_BODY_BYTES is not the server's
  if (code === "body_too_large") return skipped("body_other_setting", size);
  const status = answer?.status ?? 0;
  return fault(status === TOO_LARGE ? "body_limited" : "body_lost", { ...size, status });
}

function errorCode(text: string): unknown {
  const { error } = jsonObject(text);
  return typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
}
