/** The same question over WebSocket, in both of its forms, and over gRPC. */
import { status } from "@grpc/grpc-js";
import locale from "../../../locales/en.json" with { type: "json" };
import { closeAfterFile } from "../../support/cleanup.ts";
import { createGrpcClient, type GrpcClient } from "../../support/grpc.ts";
import { connect, readText } from "../../support/websocket.ts";
import { prompt, type Surface, type Told, type Who } from "./surface.ts";

export const socketSurfaces: readonly Surface[] = [
  { name: "WebSocket, text", kind: "typed", ask: askInText },
  { name: "WebSocket, parley.v1", kind: "typed", ask: askInJson },
  { name: "gRPC", kind: "typed", ask: askGrpc },
];

const headersOf = ({ credential }: Who) => ({ authorization: `Bearer ${credential}` });

async function askInText(who: Who): Promise<Told> {
  const client = await connect(`${who.origin}/ask`, { headers: headersOf(who) });
  client.send(`<|ask|>$new$new$${prompt}`);
  const { text, end } = await readText(client);
  await client.close();
  const reason = /^<\|err\|>\$(.*)$/s.exec(end)?.[1];
  const how = reason === undefined ? "answer" : codeOfReason(reason);
  return { how, text, requestId: null, retryAfter: null, raw: text + end };
}

/** Old frames have words alone: the code is the one whose text they are. */
function codeOfReason(reason: string): string {
  const found = Object.entries(locale.error).find(([, text]) => {
    const pattern = text.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\{\w+\}\}/g, "[^]*");
    return new RegExp(`^${pattern}$`).test(reason);
  });
  return found?.[0] ?? `no text of ours: ${reason}`;
}

async function askInJson(who: Who): Promise<Told> {
  const protocol = "parley.v1";
  const client = await connect(`${who.origin}/ask`, { protocol, headers: headersOf(who) });
  client.send({ type: "ask", id: "q", prompt });
  let text = "";
  let frame = await client.nextJson();
  let raw = JSON.stringify(frame);
  for (; frame.type === "delta"; raw += JSON.stringify(frame)) {
    text += String(frame.text);
    frame = await client.nextJson();
  }
  await client.close();
  const { retry_after_ms: waitMs } = frame;
  const hasForm = frame.id === "q" && typeof frame.message === "string" && frame.message !== "";
  const failed = frame.type === "error" ? `${frame.status} ${frame.code}` : "answer";
  return {
    how: hasForm ? failed : `no form: ${JSON.stringify(frame)}`,
    text,
    requestId: String(frame.request_id),
    retryAfter: typeof waitMs === "number" ? Math.ceil(waitMs / 1_000) : null,
    raw,
  };
}

/** One for each server: a client reads its .proto file first, which takes longer than a call. */
const clients = new Map<string, GrpcClient>();

function clientOf(target: string): GrpcClient {
  const client = clients.get(target) ?? closeAfterFile(createGrpcClient(target));
  clients.set(target, client);
  return client;
}

async function askGrpc(who: Who): Promise<Told> {
  const client = clientOf(who.target);
  const call = client.open({ prompt }, { metadata: headersOf(who) });
  const end = Promise.withResolvers<Told>();
  const messages: { response: string; conversation_id?: string }[] = [];
  let raw = "";
  let initialId = "";
  call.on("data", (message) => messages.push(message));
  call.on("error", () => undefined);
  call.on("metadata", (metadata) => {
    initialId = String(metadata.get("x-request-id")[0]);
    raw += JSON.stringify(metadata.toJSON());
  });
  call.on("status", ({ code, details, metadata }) => {
    const retry = metadata.get("retry-after")[0];
    const isWhole = messages.at(-1)?.conversation_id !== undefined;
    const deltas = isWhole ? messages.slice(0, -1) : messages;
    const ended = isWhole ? "answer" : "no last message";
    const failed = `${status[code]} ${metadata.get("error-code")[0]}`;
    end.resolve({
      how: code === status.OK ? ended : failed,
      text: deltas.map(({ response }) => response).join(""),
      requestId: initialId === "" ? String(metadata.get("x-request-id")[0]) : initialId,
      retryAfter: retry === undefined ? null : Number(retry),
      raw: raw + details + JSON.stringify([metadata.toJSON(), messages]),
    });
  });
  return end.promise;
}
