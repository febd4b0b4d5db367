/** A client of gRPC as people write it, with the .proto file the repository offers. */
import { fileURLToPath } from "node:url";
import {
  type CallOptions,
  type ChannelCredentials,
  type ClientOptions,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { closeAfterFile } from "./cleanup.ts";
import { deadline } from "./http.ts";
import { type Scene, type SceneOptions, startScene } from "./scene.ts";

export interface Request {
  readonly prompt?: string;
  readonly conversation_id?: string;
  readonly parent_id?: string;
  readonly model?: string;
  readonly max_tokens?: number;
  readonly api_key?: string;
}

export interface Response {
  readonly response: string;
  readonly conversation_id?: string;
  readonly parent_id?: string;
  readonly model?: string;
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
  readonly finish_reason?: string;
  readonly omitted?: number;
}

interface ChatClient {
  Ask(request: Request, metadata: Metadata, options: CallOptions): ClientReadableStream<Response>;
  close(): void;
}

export const protoPath = fileURLToPath(
  new URL("../../src/dialects/ask/grpc/ask.proto", import.meta.url),
);

const WAIT_MS = 10_000;

export interface AskOptions extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface Answer {
  /** All deltas, without the last message. */
  readonly text: string;
  readonly deltas: readonly string[];
  readonly last: Response;
  readonly initial: Metadata;
}

export interface Refusal {
  readonly code: number;
  readonly details: string;
  readonly trailers: Metadata;
  /** What had come before. */
  readonly deltas: readonly string[];
}

export interface GrpcClient {
  open(request: Request, options?: AskOptions): ClientReadableStream<Response>;
  /** Reads a good answer to its end. */
  ask(request: Request, options?: AskOptions): Promise<Answer>;
  /** Reads a failure. */
  askInVain(request: Request, options?: AskOptions): Promise<Refusal>;
  close(): void;
}

export function createGrpcClient(
  target: string,
  channel: ChannelCredentials = credentials.createInsecure(),
  options: ClientOptions = {},
): GrpcClient {
  const definition = loadSync(protoPath, { keepCase: true, longs: Number, defaults: true });
  const { chat } = loadPackageDefinition(definition) as unknown as {
    chat: { Chat: new (...args: [string, ChannelCredentials, ClientOptions]) => ChatClient };
  };
  const client = new chat.Chat(target, channel, {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    ...options,
  });
  const open: GrpcClient["open"] = (request, { metadata = {}, ...rest } = {}) => {
    const sent = new Metadata();
    for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
    return client.Ask(request, sent, rest);
  };
  const read = async (stream: ClientReadableStream<Response>) => {
    const messages: Response[] = [];
    let initial = new Metadata();
    stream.on("metadata", (metadata: Metadata) => {
      initial = metadata;
    });
    const ended = new Promise<StatusObject>((resolve) => {
      stream.on("data", (message: Response) => messages.push(message));
      stream.on("error", (error: ServiceError) => resolve(error));
      stream.on("status", resolve);
    });
    const status = await deadline(ended, WAIT_MS, "a status");
    return { messages, status, initial };
  };
  return {
    open,
    async ask(request, options) {
      const { messages, status, initial } = await read(open(request, options));
      if (status.code !== 0) throw new Error(`${status.code}: ${status.details}`);
      const last = messages.at(-1);
      if (last?.conversation_id === undefined) throw new Error("there is no last message");
      const deltas = messages.slice(0, -1).map(({ response }) => response);
      return { text: deltas.join(""), deltas, last, initial };
    },
    async askInVain(request, options) {
      const { messages, status } = await read(open(request, options));
      if (status.code === 0) throw new Error("it was answered");
      const deltas = messages.map(({ response }) => response);
      return { code: status.code, details: status.details, trailers: status.metadata, deltas };
    },
    close: () => client.close(),
  };
}

export interface GrpcScene extends Scene {
  readonly client: GrpcClient;
  /** Host and port, as clients of gRPC take them. */
  readonly target: string;
}

/** A scene with gRPC beside HTTP, and a client of it without TLS. */
export async function startGrpc(
  env: Readonly<Record<string, string>> = {},
  options: SceneOptions = {},
): Promise<GrpcScene> {
  const scene = await startScene({ GRPC_PORT: "9000", ...env }, options);
  const target = `127.0.0.1:${scene.parley.ports.grpc}`;
  const client = closeAfterFile(createGrpcClient(target));
  return { ...scene, client, target };
}
