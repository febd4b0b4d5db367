import type { IncomingHttpHeaders } from "node:http";
import type { Call } from "../../core/call/call.ts";
import { readBody } from "../body/body.ts";
import { parseJson } from "../body/parsed.ts";
import { openHttpCall } from "./begin-call.ts";
import type { Identify } from "./credentials.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { AppContext } from "./request-context.ts";

export interface CallOptions {
  readonly maxBodyBytes: number;
  readonly identify: Identify;
  readonly openCalls: OpenCalls;
}

/**
 * A dialect's own check before the body is read. Throws if the caller may not enter; resolves with
 * the headers to read credentials from.
 */
export type EntryCheck = (
  headers: IncomingHttpHeaders,
  bucket: string,
) => Promise<IncomingHttpHeaders>;

/** A request with a JSON body, before its schema is applied. */
export interface JsonCall {
  readonly json: unknown;
  /** The body as received. */
  readonly bytes: Buffer;
  /** Identifies the caller. `bodyKey` is the credential in the body, if a field carries one. */
  open(bodyKey: string | null): Promise<Call>;
}

export async function readJsonCall(
  c: AppContext,
  dialect: string,
  { maxBodyBytes, identify, openCalls }: CallOptions,
  checkEntry?: EntryCheck,
): Promise<JsonCall> {
  const { incoming } = c.env;
  const open = openHttpCall(c, dialect, openCalls);
  const { client } = c.env.context;
  const headers =
    checkEntry === undefined ? incoming.headers : await checkEntry(incoming.headers, client.bucket);
  const bytes = await readCallBody(c, { maxBodyBytes, openCalls });
  return {
    json: parseJson(bytes),
    bytes,
    open: async (bodyKey) => open(await identify(client, headers, bodyKey)),
  };
}

/** The body of an open call. It takes room as it arrives, however much was announced. */
export function readCallBody(
  { env: { incoming, outgoing } }: AppContext,
  { maxBodyBytes: maxBytes, openCalls }: Pick<CallOptions, "maxBodyBytes" | "openCalls">,
  anyType = false,
): Promise<Buffer> {
  const onArrived = (bytes: number) => openCalls.hold(outgoing, bytes);
  return readBody(incoming, { maxBytes, anyType, onArrived });
}

/** Opens a request without a body. */
export async function openEmptyCall(
  c: AppContext,
  dialect: string,
  { identify, openCalls }: Pick<CallOptions, "identify" | "openCalls">,
): Promise<Call> {
  const open = openHttpCall(c, dialect, openCalls);
  return open(await identify(c.env.context.client, c.env.incoming.headers, null));
}
