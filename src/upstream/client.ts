import { OpenAI } from "openai";
import { ProxyError } from "../core/errors.ts";
import type { OutboundAnswer } from "./exchange.ts";
import type { Transport } from "./transport.ts";

/** One request as we hand it to the client, ready but for being sent. */
export interface ReadyRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body: string | null;
  readonly key: string;
  readonly signal: AbortSignal;
  readonly headMs: number;
  /** Most bytes the body may have, and most of it that may be read as one text. */
  readonly maxBytes: number;
  readonly maxTextBytes: number;
}

/** The client wants a URL for its log lines; where a request goes is known to the transport alone. */
const NOT_A_PLACE = "http://upstream.invalid/";

type Built = Awaited<ReturnType<OpenAI["buildRequest"]>>;

/**
 * The official client with its two ends replaced: requests arrive ready (its own building, with
 * Headers and a replacing JSON.stringify, costs 100 µs a call; this costs 7) and leave through our
 * transport. What stays is its judgement of answers: which are errors, and of which class.
 * Nothing is read from the environment and no key is kept: the key of a call is in its request.
 */
export class LeanClient extends OpenAI {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    super({
      apiKey: "none: each request brings its own",
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      baseURL: NOT_A_PLACE,
      maxRetries: 0,
      logLevel: "off",
      fetch: () => Promise.reject(new TypeError("requests leave through the transport")),
    });
    this.#transport = transport;
  }

  /** The answer once its head is here; throws the package's APIError for a status outside 2xx. */
  async ask(request: ReadyRequest): Promise<LightResponse> {
    const { method, path } = request;
    const answer = await this.request({
      method: method === "GET" ? "get" : "post",
      path,
      fetchOptions: { ready: request } as object, // carried to fetchWithTimeout, see there
    }).asResponse();
    return answer as unknown as LightResponse; // it is the object fetchWithTimeout returned
  }

  override buildRequest(options: Parameters<OpenAI["buildRequest"]>[0]): Promise<Built> {
    const req = options.fetchOptions as unknown as Built["req"]; // our ReadyRequest, put by ask()
    return Promise.resolve({ req, url: NOT_A_PLACE, timeout: 0 });
  }

  override async fetchWithTimeout(_url: unknown, init: unknown): Promise<Response> {
    const { ready } = init as { ready: ReadyRequest }; // put by ask()
    const { path, method, body, signal, headMs, maxBytes } = ready;
    const headers: Record<string, string> = {
      authorization: `Bearer ${ready.key}`,
      accept: "application/json, text/event-stream",
      "accept-encoding": "identity",
    };
    if (body !== null) headers["content-type"] = "application/json";
    const request = { path, method, headers, body, signal, headMs, maxBytes };
    const answer = await this.#transport.send(request);
    return new LightResponse(answer, ready.maxTextBytes) as unknown as Response; // the part of it the client uses
  }
}

/** As much of a Response as the client looks at, without web streams behind it. */
export class LightResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly url = "";
  readonly headers: LightHeaders;
  readonly chunks: OutboundAnswer["body"];
  readonly #maxTextBytes: number;

  constructor(answer: OutboundAnswer, maxTextBytes: number) {
    this.status = answer.status;
    this.ok = answer.status >= 200 && answer.status < 300;
    this.headers = new LightHeaders(answer.headers);
    this.chunks = answer.body;
    this.#maxTextBytes = maxTextBytes;
  }

  async text(): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.chunks) {
      bytes += chunk.length;
      if (bytes > this.#maxTextBytes) throw new ProxyError("upstream_bad_answer");
      chunks.push(chunk);
    }
    return (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString("utf8") ?? "";
  }
}

class LightHeaders {
  readonly #headers: OutboundAnswer["headers"];

  constructor(headers: OutboundAnswer["headers"]) {
    this.#headers = headers;
  }

  /** The first value where a server sent several. */
  get(name: string): string | null {
    const value = this.#headers[name.toLowerCase()];
    return (Array.isArray(value) ? value[0] : value) ?? null;
  }

  /** The client only looks for a request id here, for log lines that are switched off. */
  entries(): Iterable<[string, string]> {
    return [];
  }
}
