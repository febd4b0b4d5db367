import { z } from "zod";
import type { WindowName } from "../../core/ports.ts";

export const stateSchema = z.object({
  state: z.enum(["up", "degraded", "down"]),
  reasons: z.array(z.enum(["draining", "database", "limits", "upstreams", "failures"])),
  limits: z
    .array(z.object({ window: z.enum(["second", "minute", "hour", "day"]), limit: z.int() }))
    .describe("Calls per client address; a window that is missing has no limit"),
  streams: z.int().describe("Open streams per client address; 0: no limit"),
  shared_key: z.boolean().describe("Whether callers without a key or token may ask"),
  upstreams: z
    .array(z.object({ name: z.string().nullable(), state: z.enum(["up", "resting"]) }))
    .describe("name: null unless STATUS_UPSTREAMS is names"),
  last_24h: z
    .array(
      z.object({
        hour: z.iso.datetime(),
        answered: z.int(),
        failed: z.int().describe("By the fault of the server or of a service"),
        refused: z.int().describe("By a limit or quota"),
      }),
    )
    .describe("Calls of all instances, oldest hour first"),
  first_token_ms: z
    .object({ median: z.int(), p95: z.int() })
    .nullable()
    .describe("Of these hours, within 7 %; null: no stream"),
  at: z.iso.datetime(),
});

export type ServerState = z.output<typeof stateSchema>;
type Reason = ServerState["reasons"][number];

type HourCounts = Readonly<Record<"answered" | "failed" | "refused", number>>;

export interface StateOptions {
  readonly isDraining: () => boolean;
  readonly isDatabaseUp: () => boolean;
  /** `refusing`: calls are refused, as nobody counts them. */
  readonly limitsState: () => "up" | "degraded" | "refusing";
  readonly upstreams: () => ServerState["upstreams"];
  /** `at`: milliseconds since 1970; oldest first. */
  readonly lastDay: () => Promise<{
    readonly hours: readonly ({ readonly at: number } & HourCounts)[];
    readonly firstToken: ServerState["first_token_ms"];
  }>;
  /** Whether many calls fail at present. */
  readonly isFailing: () => boolean;
  /** Calls per window; 0: no limit. */
  readonly limits: Readonly<Record<WindowName, number>>;
  readonly streams: number;
  readonly sharedKey: boolean;
  readonly now: () => number;
}

/** `GET /status`: no address, no key, nothing of a single caller. */
export async function serverState(options: StateOptions): Promise<ServerState> {
  const { hours, firstToken } = await options.lastDay();
  const upstreams = options.upstreams();
  const resting = upstreams.filter(({ state }) => state === "resting").length;
  const limitsState = options.limitsState();
  const down: readonly (readonly [Reason, boolean])[] = [
    ["draining", options.isDraining()],
    ["database", !options.isDatabaseUp()],
    ["limits", limitsState === "refusing"],
    ["upstreams", resting === upstreams.length],
  ];
  const degraded: readonly (readonly [Reason, boolean])[] = [
    ["limits", limitsState === "degraded"],
    ["upstreams", resting > 0],
    ["failures", options.isFailing()],
  ];
  const reasons = (rows: typeof down) => rows.filter(([, holds]) => holds).map(([name]) => name);
  const why = { down: reasons(down), degraded: reasons(degraded) };
  const windows = Object.entries(options.limits) as [WindowName, number][]; // keys of a record
  return {
    state: worst(why),
    reasons: [...new Set([...why.down, ...why.degraded])],
    limits: windows.filter(([, limit]) => limit > 0).map(([window, limit]) => ({ window, limit })),
    streams: options.streams,
    shared_key: options.sharedKey,
    upstreams,
    last_24h: hours.map(({ at, ...counts }) => ({ hour: new Date(at).toISOString(), ...counts })),
    first_token_ms: firstToken,
    at: new Date(options.now()).toISOString(),
  };
}

function worst({ down, degraded }: Readonly<Record<"down" | "degraded", readonly Reason[]>>) {
  if (down.length > 0) return "down";
  return degraded.length > 0 ? "degraded" : "up";
}
