import { z } from "zod";
import type { WindowName } from "../../core/ports.ts";

export const stateSchema = z.object({
  state: z.enum(["up", "degraded", "down"]),
  reasons: z.array(z.enum(["draining", "database", "limits", "upstreams"])),
  limits: z
    .array(z.object({ window: z.enum(["second", "minute", "hour", "day"]), limit: z.int() }))
    .describe("Calls per client address; a window that is missing has no limit"),
  streams: z.int().describe("Open streams per client address; 0: no limit"),
  shared_key: z.boolean().describe("Whether callers without a key or token may ask"),
  upstreams: z.object({ all: z.int(), resting: z.int() }),
  at: z.iso.datetime(),
});

export type ServerState = z.output<typeof stateSchema>;
type Reason = ServerState["reasons"][number];

export interface StateOptions {
  readonly isDraining: () => boolean;
  readonly isDatabaseUp: () => boolean;
  /** `refusing`: calls are refused, as nobody counts them. */
  readonly limitsState: () => "up" | "degraded" | "refusing";
  readonly upstreams: () => { readonly all: number; readonly resting: number };
  /** Calls per window; 0: no limit. */
  readonly limits: Readonly<Record<WindowName, number>>;
  readonly streams: number;
  readonly sharedKey: boolean;
  readonly now: () => number;
}

/** `GET /status`: no address, no key, nothing of a single caller. */
export function serverState(options: StateOptions): ServerState {
  const upstreams = options.upstreams();
  const limitsState = options.limitsState();
  const down: readonly (readonly [Reason, boolean])[] = [
    ["draining", options.isDraining()],
    ["database", !options.isDatabaseUp()],
    ["limits", limitsState === "refusing"],
    ["upstreams", upstreams.resting === upstreams.all],
  ];
  const degraded: readonly (readonly [Reason, boolean])[] = [
    ["limits", limitsState === "degraded"],
    ["upstreams", upstreams.resting > 0],
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
    at: new Date(options.now()).toISOString(),
  };
}

function worst({ down, degraded }: Readonly<Record<"down" | "degraded", readonly Reason[]>>) {
  if (down.length > 0) return "down";
  return degraded.length > 0 ? "degraded" : "up";
}
