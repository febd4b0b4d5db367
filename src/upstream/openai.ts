import { ProxyError } from "../core/errors.ts";
import type { UpstreamKind } from "../core/routing/routing.ts";
import type { AskOptions, Upstream } from "../core/upstream-ports.ts";
import { askUpstream, prepareRequest, type TokenField, usualTokenField } from "./ask.ts";
import { createFailures, type FailureOptions } from "./failures.ts";
import type { ServiceTransport } from "./translation/service-transport.ts";
import { completionIn, openStream, type Reading } from "./typed-stream.ts";
import { createUsageOption } from "./usage-option.ts";

export interface OpenAIUpstreamOptions extends FailureOptions {
  readonly transport: ServiceTransport;
  readonly kind: UpstreamKind;
  /** The operator's, sent with every request; they win. */
  readonly ownHeaders: Readonly<Record<string, string>> | null;
  readonly userAgent: string;
  /** Limit for a whole answer to begin; the upstream writes it first and sends it then. */
  readonly answerMs: number;
  /** Limit for a stream to begin. */
  readonly firstTokenMs: number;
  readonly maxAnswerBytes: number;
  readonly maxEventBytes: number;
}

/** Models whose token field was learned from a refusal; past this many all are learned again. */
const MAX_LEARNED_MODELS = 1_000;
/** The typed way to an OpenAI-compatible service. */
export function createOpenAIUpstream(options: OpenAIUpstreamOptions): Upstream {
  const learned = new Map<string, TokenField>();
  const withUsage = createUsageOption();

  /** A model that wants the other field name says so in its refusal; it is asked once more. */
  const withField = async <T>(model: string, ask: (tokenField: TokenField) => Promise<T>) => {
    const used = learned.get(model) ?? usualTokenField(model);
    try {
      return await ask(used);
    } catch (error) {
      const wanted = wantedField(error);
      if (wanted === null || wanted === used) throw error;
      if (learned.size >= MAX_LEARNED_MODELS) learned.clear();
      learned.set(model, wanted);
      return ask(wanted);
    }
  };
  const readingOf = (ask: AskOptions): Reading => ({
    room: ask.room,
    failures: createFailures(options, ask),
    maxEventBytes: options.maxEventBytes,
  });

  return {
    complete: (request, ask) =>
      withField(request.model, async (tokenField) => {
        const prepared = prepareRequest(request, false, { tokenField, asksForUsage: false });
        return completionIn(await askUpstream(options, prepared, ask), readingOf(ask));
      }),
    // a refusal may come as the first event, too
    stream: (request, ask) =>
      withUsage(request.model, (asksForUsage) =>
        withField(request.model, async (tokenField) => {
          const prepared = prepareRequest(request, true, { tokenField, asksForUsage });
          return openStream(await askUpstream(options, prepared, ask), readingOf(ask));
        }),
      ),
  };
}

function wantedField(error: unknown): TokenField | null {
  if (!(error instanceof ProxyError) || error.code !== "upstream_refused") return null;
  const reason = String(error.params.reason ?? "");
  if (!/max_tokens/.test(reason) || !/max_completion_tokens/.test(reason)) return null;
  return /unsupported parameter:?\s*'?max_completion_tokens/i.test(reason)
    ? "max_tokens"
    : "max_completion_tokens";
}
