import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config/settings.ts";
import { upstreamUrl } from "../config/upstream.ts";
import type { Clock } from "../core/ports.ts";
import { DEFAULT_UPSTREAM } from "../core/routing/routing.ts";
import type { UpstreamPorts } from "./upstream-operations.ts";

/** The settings that operations on upstreams read. */
export const upstreamSettings = [
  "API_KEY",
  "OPENAI_URL",
  "OPENAI_KIND",
  "OPENAI_PROXY",
  "UPSTREAM_CONNECT_SECONDS",
  "UPSTREAM_ANSWER_SECONDS",
] as const satisfies readonly (keyof Config)[];

type Settings = Pick<Config, (typeof upstreamSettings)[number]>;

/** `settings` may throw: only what needs them reads them. */
export function createUpstreamPorts(settings: () => Settings, clock: Clock): UpstreamPorts {
  return {
    ofSettings() {
      const { API_KEY: keys, OPENAI_KIND: kind, OPENAI_PROXY: proxy, ...others } = settings();
      const unset = { concurrency: null, answerSeconds: null, firstTokenSeconds: null };
      return {
        name: DEFAULT_UPSTREAM,
        kind,
        url: upstreamUrl({ OPENAI_KIND: kind, ...others }).href,
        models: [],
        ...unset,
        keys,
        headers: {},
        proxyUrl: proxy?.href ?? null,
      };
    },
    async probe(upstream, model) {
      const { UPSTREAM_CONNECT_SECONDS: connect, UPSTREAM_ANSWER_SECONDS: answer } = settings();
      // few commands need what it loads
      const { probeUpstream } = await import("../upstream/probe.ts");
      return probeUpstream(upstream, model, {
        clock,
        userAgent: `parley/${packageJson.version}`,
        connectMs: connect * 1_000,
        answerMs: answer * 1_000,
      });
    },
  };
}
