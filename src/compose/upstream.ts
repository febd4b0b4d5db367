import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config/settings.ts";
import { upstreamUrl } from "../config/upstream.ts";
import type { CleanName } from "../core/clean-name.ts";
import type { Clock } from "../core/ports.ts";
import type { Redact } from "../core/redact.ts";
import type { UpstreamKind } from "../core/routing/routing.ts";
import type { Relay, Upstream } from "../core/upstream-ports.ts";
import { createRefusalOf } from "../upstream/errors.ts";
import { createOpenAIUpstream, type OpenAIUpstreamOptions } from "../upstream/openai.ts";
import { createRelay } from "../upstream/relay.ts";
import { createServiceTransport } from "../upstream/translation/service-transport.ts";

/** An upstream of the settings, or of the database. */
export interface UpstreamPlace {
  readonly kind: UpstreamKind;
  readonly url: URL;
  readonly proxyUrl: URL | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly answerSeconds: number;
  readonly firstTokenSeconds: number;
}

export interface UpstreamNeeds {
  readonly clock: Clock;
  readonly redact: Redact;
  readonly cleanName: CleanName;
}

/** Both ways to one upstream. */
export interface OpenUpstream {
  readonly typed: Upstream;
  readonly relay: Relay;
  close(): Promise<void>;
}

export function defaultPlace(config: Config): UpstreamPlace {
  return {
    kind: config.OPENAI_KIND,
    url: upstreamUrl(config),
    proxyUrl: config.OPENAI_PROXY,
    headers: null,
    answerSeconds: config.UPSTREAM_ANSWER_SECONDS,
    firstTokenSeconds: config.UPSTREAM_FIRST_TOKEN_SECONDS,
  };
}

export function openUpstream(
  config: Config,
  place: UpstreamPlace,
  { clock, redact, cleanName }: UpstreamNeeds,
): OpenUpstream {
  const transport = createServiceTransport({
    kind: place.kind,
    usualTokens: config.MAX_TOKENS_LIMIT,
    maxEventBytes: config.MAX_EVENT_BYTES,
    baseUrl: place.url,
    proxyUrl: place.proxyUrl,
    connectMs: config.UPSTREAM_CONNECT_SECONDS * 1_000,
    idleMs: config.UPSTREAM_IDLE_SECONDS * 1_000,
    totalMs: config.UPSTREAM_TOTAL_SECONDS * 1_000,
    clock,
  });
  const options: OpenAIUpstreamOptions = {
    transport,
    kind: place.kind,
    ownHeaders: place.headers,
    userAgent: `parley/${packageJson.version}`,
    refusalOf: createRefusalOf(redact, clock),
    redact,
    cleanName,
    answerMs: place.answerSeconds * 1_000,
    firstTokenMs: place.firstTokenSeconds * 1_000,
    maxAnswerBytes: config.MAX_ANSWER_BYTES,
    maxEventBytes: config.MAX_EVENT_BYTES,
  };
  return {
    typed: createOpenAIUpstream(options),
    relay: createRelay(options),
    close: () => transport.close(),
  };
}
