import type { IncomingHttpHeaders } from "node:http";
import type { Call } from "../../core/call/call.ts";
import { expectedBytes, parseJson, readBody } from "../body/body.ts";
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
 * A dialect's own gate, before the body is read: throws for whom it does not open, and returns the
 * headers in which credentials are looked for.
 */
export type Gate = (headers: IncomingHttpHeaders) => Promise<IncomingHttpHeaders>;

/** A request with a JSON body that has passed the gates before its schema. */
export interface JsonCall {
  readonly json: unknown;
  /** The body as it came. */
  readonly bytes: Buffer;
  /** Says on whose behalf it is; `bodyKey` is the field that carries a credential, if there is one. */
  open(bodyKey: string | null): Promise<Call>;
}

export async function readJsonCall(
  c: AppContext,
  dialect: string,
  { maxBodyBytes, identify, openCalls }: CallOptions,
  gate?: Gate,
): Promise<JsonCall> {
  const { incoming, outgoing } = c.env;
  const open = openHttpCall(c, dialect, openCalls);
  const headers = gate === undefined ? incoming.headers : await gate(incoming.headers);
  openCalls.hold(outgoing, expectedBytes(incoming, maxBodyBytes));
  const bytes = await readBody(incoming, maxBodyBytes);
  return {
    json: parseJson(bytes),
    bytes,
    open: async (bodyKey) => open(await identify(c.env.context.client, headers, bodyKey)),
  };
}

/** The same for requests without a body. */
export async function openEmptyCall(
  c: AppContext,
  dialect: string,
  { identify, openCalls }: Pick<CallOptions, "identify" | "openCalls">,
): Promise<Call> {
  const open = openHttpCall(c, dialect, openCalls);
  return open(await identify(c.env.context.client, c.env.incoming.headers, null));
}
