import { reasonOf } from "../../core/reason.ts";
import { type Finding, fault, ok, type World } from "../check.ts";
import { type Answer, jsonObject } from "../public-call.ts";

/** What proxies answer if they can't reach what is behind them. */
const PROXY_FAILURES: ReadonlySet<number> = new Set([502, 503, 504, 521, 522, 523]);

const TIMEOUT_MS = 5_000;
const FINE = 200;

/** Does Parley answer at this address, below this path, with its pages and its route? */
export async function checkPrefix({ url, local, ask }: World): Promise<readonly Finding[]> {
  const alive = await ask("/healthz", { timeoutMs: TIMEOUT_MS }).catch((error: unknown) =>
    reasonOf(error),
  );
  if (typeof alive === "string") return [fault("prefix_broken", { reason: alive })];
  if (jsonObject(alive.text).status !== "ok") return [otherwise(alive, url)];
  const paths = ["/docs", "/openapi.json", local.route];
  const answers = await Promise.all(paths.map((path) => ask(path).catch(() => null)));
  const lost = paths.filter((_, at) => !isOurs(answers[at] ?? null));
  if (lost.length > 0) return [fault("prefix_path_lost", { paths: lost.join(", ") })];
  return [ok("prefix_ok")];
}

function otherwise(answer: Answer, { pathname }: URL): Finding {
  const { status } = answer;
  if (PROXY_FAILURES.has(status)) return fault("prefix_unreached", { status });
  if (isRefusal(answer)) return fault("prefix_kept", { path: pathname });
  return fault("prefix_stranger", { status });
}

function isOurs(answer: Answer | null): boolean {
  return answer !== null && (answer.status === FINE || isRefusal(answer));
}

/** An answer of Parley, whether or not its headers got through. */
function isRefusal({ headers, text }: Answer): boolean {
  return String(headers["x-request-id"] ?? "").startsWith("req-") || "code" in jsonObject(text);
}
