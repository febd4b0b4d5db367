import type { Config } from "../config/settings.ts";
import { createKeyRing, type KeyCooldown } from "../core/call/key-ring.ts";
import type { Target } from "../core/call/targets.ts";
import { createCleanName } from "../core/clean-name.ts";
import type { Clock } from "../core/ports.ts";
import { createRedact } from "../core/redact.ts";
import { DEFAULT_UPSTREAM, type RoutingTable } from "../core/routing/routing.ts";
import type { OperatorAlerts } from "./alerts.ts";
import type { LimitStores } from "./limits.ts";
import { secretsInUrl, secretsOf } from "./secrets.ts";
import { defaultPlace, type OpenUpstream, openUpstream } from "./upstream.ts";

export interface TargetNeeds {
  readonly clock: Clock;
  readonly limits: Pick<LimitStores, "cooldowns">;
  readonly digestKey: (key: string) => string;
  readonly alerts: Pick<OperatorAlerts, "alert">;
}

/** Every upstream that can be asked, with its connections. */
export interface Targets {
  /** The upstream of the settings. */
  readonly base: Target;
  /** Opens these and retires the others. By name. */
  keep(upstreams: RoutingTable["upstreams"]): ReadonlyMap<string, Target>;
  close(): Promise<void>;
}

type KeptUpstream = RoutingTable["upstreams"][number];

interface OpenTarget extends OpenUpstream {
  readonly target: Target;
  readonly secrets: readonly string[];
}

export function composeTargets(config: Config, needs: TargetNeeds): Targets {
  const { clock, limits, digestKey, alerts } = needs;
  const always = secretsOf(config);
  let secrets: readonly string[] = always;
  const listed = () => secrets;
  const opening = { clock, redact: createRedact(listed), cleanName: createCleanName(listed) };

  const own = openUpstream(config, defaultPlace(config), opening);
  const { typed, relay } = own;
  const named = { upstream: DEFAULT_UPSTREAM, kind: config.OPENAI_KIND, model: null };
  /** Without the key, and without its hint: its place among the keys is enough. */
  const tell = (upstream: string) => (cooldown: KeyCooldown) => {
    const { position: key, reason, ms } = cooldown;
    const seconds = Math.ceil(ms / 1_000);
    alerts.alert({ type: "key.cooldown", upstream, key, reason, seconds });
  };
  const { cooldowns } = limits;
  const keyRing = createKeyRing(config.API_KEY, cooldowns, digestKey, tell(DEFAULT_UPSTREAM));
  const base = { ...named, typed, relay, keyRing, maxOpen: 0, breaker: null };

  const openKept = (upstream: KeptUpstream): OpenTarget => {
    const { name, kind, keys, concurrency } = upstream;
    const kept = openUpstream(config, placeOf(config, upstream), opening);
    // equal keys of two upstreams rest apart
    const digest = (key: string) => digestKey(`${name} ${key}`);
    const ring = createKeyRing(keys.length > 0 ? keys : [""], cooldowns, digest, tell(name));
    const about = { upstream: name, kind, model: null, maxOpen: concurrency ?? 0, breaker: name };
    const target = { ...about, typed: kept.typed, relay: kept.relay, keyRing: ring };
    return { ...kept, target, secrets: secretsOfKept(upstream) };
  };
  /** By the upstream as it is kept: one that has not changed keeps its connections. */
  let open: ReadonlyMap<string, OpenTarget> = new Map();
  const retired = createRetired(config.UPSTREAM_TOTAL_SECONDS * 1_000);
  return {
    base,
    keep(upstreams) {
      const before = open;
      const entries = upstreams.map((one) => [JSON.stringify(one), one] as const);
      open = new Map(entries.map(([as, one]) => [as, before.get(as) ?? openKept(one)]));
      for (const [as, one] of before) if (!open.has(as)) retired.add(one);
      // a call that is open at a retired one may still be told of its secrets
      const known = [...open.values(), ...retired.all()];
      secrets = [...always, ...known.flatMap((one) => one.secrets)];
      return new Map([...open.values()].map(({ target }) => [target.upstream, target]));
    },
    async close() {
      await Promise.all([own.close(), ...[...open.values()].map((one) => one.close())]);
      await retired.close();
    },
  };
}

/** Upstreams that get no more calls, while the open ones go on to their end. */
function createRetired(longestCallMs: number) {
  const retired = new Set<OpenTarget>();
  return {
    all: () => retired,
    add(upstream: OpenTarget) {
      retired.add(upstream);
      const end = () => {
        retired.delete(upstream);
        void upstream.close();
      };
      setTimeout(end, longestCallMs).unref();
    },
    close: () => Promise.all([...retired].map((upstream) => upstream.close())),
  };
}

function placeOf(config: Config, upstream: KeptUpstream) {
  const { kind, url, proxyUrl, headers, answerSeconds, firstTokenSeconds } = upstream;
  const usual = defaultPlace(config);
  return {
    kind,
    url: new URL(url),
    proxyUrl: proxyUrl === null ? null : new URL(proxyUrl),
    headers: Object.keys(headers).length === 0 ? null : headers,
    answerSeconds: answerSeconds ?? usual.answerSeconds,
    firstTokenSeconds: firstTokenSeconds ?? usual.firstTokenSeconds,
  };
}

function secretsOfKept({ keys, headers, proxyUrl, url }: KeptUpstream): readonly string[] {
  const urls = [url, proxyUrl].flatMap((one) => (one === null ? [] : secretsInUrl(new URL(one))));
  return [...keys, ...Object.values(headers), ...urls].filter((secret) => secret !== "");
}
