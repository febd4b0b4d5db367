import type { Clock } from "../core/ports.ts";
import type { TextParams } from "../locales.ts";
import type { Local } from "./local.ts";
import type { Answer, PublicCallOptions } from "./public-call.ts";

/** In the order of the report. The first two decide whether the others can run. */
export const checkIds = [
  "name",
  "prefix",
  "address",
  "stream",
  "silence",
  "hang-up",
  "body",
  "headers",
  "websocket",
  "grpc",
  "upstream",
  "storage",
  "copies",
  "safety",
] as const;
export type CheckId = (typeof checkIds)[number];

export type Status = "ok" | "warning" | "fault" | "skipped";

/** One thing that was seen. Warnings and faults also have texts on what it means and what mends it. */
export interface Finding {
  readonly status: Status;
  /** Of `doctor.seen`, `doctor.means` and `doctor.mend` in the locales. */
  readonly key: string;
  readonly params?: TextParams;
}

/** What a request with admin rights showed. */
export interface Arrival {
  readonly headers: readonly string[];
  readonly forwarded_for: string | null;
  readonly peer: string;
  readonly sent: readonly string[];
}

/** Why the checks have no admin rights. */
export type NoAdmin = "admin_unset" | "admin_refused" | "admin_absent" | "admin_plain_http";

export interface Times {
  /** Streams are silent for so long, all at once. Seconds. */
  readonly silences: readonly number[];
  /** All checks together. Milliseconds. */
  readonly limitMs: number;
}

/** What every check works with. */
export interface World {
  /** The public address, without a slash at its end. */
  readonly url: URL;
  readonly local: Local;
  readonly clock: Clock;
  readonly times: Times;
  /** Asks a path below the public address. */
  ask(path: string, options?: PublicCallOptions): Promise<Answer>;
}

/** The same, once it is known that Parley answers. */
export interface ReachedWorld extends World {
  /** Headers with the credential, or why there is none. */
  readonly admin: Readonly<Record<string, string>> | NoAdmin;
  readonly arrival: Arrival | null;
  /** A proxy is in between, as far as can be seen. */
  readonly isProxied: boolean;
}

export type RunCheck = (world: ReachedWorld) => Promise<readonly Finding[]>;

export function ok(key: string, params: TextParams = {}): Finding {
  return { status: "ok", key, params };
}

export function fault(key: string, params: TextParams = {}): Finding {
  return { status: "fault", key, params };
}

export function warning(key: string, params: TextParams = {}): Finding {
  return { status: "warning", key, params };
}

export function skipped(key: string, params: TextParams = {}): Finding {
  return { status: "skipped", key, params };
}

/** A check that needs admin rights. */
export function withAdmin(
  run: (world: ReachedWorld, headers: Readonly<Record<string, string>>) => Promise<Finding[]>,
): RunCheck {
  return async (world) =>
    typeof world.admin === "string" ? [skipped(world.admin)] : run(world, world.admin);
}
