import { fieldError } from "../core/common-errors.ts";
import { ProxyError } from "../core/errors.ts";
import {
  DEFAULT_UPSTREAM,
  type UpstreamChanges,
  type UpstreamSecrets,
  type UpstreamSettings,
} from "../core/routing/routing.ts";
import { shownProxy, shownUrl } from "../core/shown-url.ts";
import type { Probed, ProbedUpstream } from "../upstream/probe.ts";
import { parseFields } from "./fields.ts";
import type { AdminOptions } from "./operations.ts";
import { newUpstreamOf, upstreamChangesOf, upstreamSchemas } from "./upstream-schemas.ts";
import {
  type BreakerState,
  type ListedUpstream,
  viewedProbe,
  viewedUpstream,
} from "./upstream-views.ts";

/** What operations need beside what is stored. */
export interface UpstreamPorts {
  /** The upstream of the settings. */
  readonly ofSettings: () => UpstreamSettings & UpstreamSecrets;
  /** Asks it once, for one paid token of the model or, without one, for what is free. */
  readonly probe: (upstream: ProbedUpstream, model: string | null) => Promise<Probed>;
  /** Left out where no calls are made. */
  readonly stateOf?: ((name: string) => BreakerState) | undefined;
}

/** What an operator can do with upstreams. */
export function upstreamOperations(options: AdminOptions) {
  const { routing, upstreams: ports } = options;
  const shown = (upstream: ListedUpstream) =>
    viewedUpstream({ ...upstream, breaker: ports.stateOf?.(upstream.name) ?? null });
  const list = async () => [ownUpstream(ports), ...(await routing.upstreams())];
  return {
    async add(given: unknown) {
      const upstream = newUpstreamOf(parseFields(upstreamSchemas.newUpstream, given));
      requireKept(upstream.name);
      requireSeal(upstream, options);
      return shown(await routing.addUpstream(upstream));
    },
    /** Changes the fields that are given. */
    async update(name: string, given: unknown) {
      const changes = upstreamChangesOf(parseFields(upstreamSchemas.changes, given));
      requireKept(name);
      requireSeal(changes, options);
      return shown(known(await routing.changeUpstream(name, changes)));
    },
    /** The one of the settings first. */
    list: async () => ({
      upstreams: (await list()).map(shown),
      seals_secrets: options.canSeal,
    }),
    show: async (name: string) =>
      shown(known((await list()).find((one) => one.name === name) ?? null)),
    async remove(name: string) {
      requireKept(name);
      if (!(await routing.removeUpstream(name))) throw new ProxyError("upstream_unknown");
      return { name, removed: true };
    },
    /** Asks for the list of models, or if it may cost something for one token. */
    async test(name: string, given: unknown) {
      const { paid, model } = parseFields(upstreamSchemas.test, given);
      const upstream = await opened(options, name);
      const asked = model ?? upstream.models[0] ?? null;
      if (paid === true && asked === null) throw fieldError("field_missing", "model");
      return viewedProbe({ name, ...(await ports.probe(upstream, paid === true ? asked : null)) });
    },
  };
}

function ownUpstream({ ofSettings }: UpstreamPorts): ListedUpstream {
  const { keys, headers, proxyUrl, url, ...settings } = ofSettings();
  return {
    ...settings,
    url: shownUrl(new URL(url)),
    keyCount: keys.length,
    headerNames: Object.keys(headers),
    proxy: proxyUrl === null ? null : shownProxy(new URL(proxyUrl)),
    createdAt: null,
  };
}

/** With its secrets. */
async function opened({ routing, upstreams: { ofSettings } }: AdminOptions, name: string) {
  if (name === DEFAULT_UPSTREAM) return ofSettings();
  const { upstreams, unreadable } = await routing.read();
  if (unreadable.includes(name)) throw new ProxyError("upstream_unreadable", { params: { name } });
  return known(upstreams.find((one) => one.name === name) ?? null);
}

function requireKept(name: string): void {
  if (name === DEFAULT_UPSTREAM) throw new ProxyError("upstream_fixed");
}

/** Storing a secret requires SECRET_KEY. */
function requireSeal(
  { keys = [], headers = {}, proxyUrl = null }: UpstreamChanges,
  { canSeal }: AdminOptions,
): void {
  const hasSecret = keys.length + Object.keys(headers).length > 0 || proxyUrl !== null;
  if (hasSecret && !canSeal) throw new ProxyError("secret_key_missing");
}

function known<T>(found: T | null): T {
  if (found === null) throw new ProxyError("upstream_unknown");
  return found;
}
