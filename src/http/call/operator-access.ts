import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ProxyError } from "../../core/errors.ts";
import type { Clock, OperatorRecord, OperatorStore } from "../../core/ports.ts";
import { createAged } from "./aged.ts";
import { bearerIn } from "./bearer.ts";
import type { GuessBrake } from "./guess-brake.ts";
import { type OperatorSessions, SESSION_MS } from "./operator-sessions.ts";
import { createTokenCheck, type TokenCheck } from "./operator-token.ts";
import { isFromOurPage } from "./same-origin.ts";
import { createSlowDigests } from "./slow-digest.ts";

/** A token that was changed elsewhere holds here for so long at most. */
const MAX_AGE_MS = 500;

/** Who is the operator: holds the token in force, or a session that was signed in with it. */
export interface OperatorAccess {
  readonly isToken: TokenCheck;
  /** Rejects unless the request has the token, or a session and comes from a page of ours. */
  enter(incoming: IncomingMessage, bucket: string): Promise<void>;
  state(headers: IncomingHttpHeaders): Promise<SignInState>;
  signIn(given: string, bucket: string): Promise<SignedIn>;
  /** Makes this the operator's token, for who has the code that the log shows. */
  choose(code: string, token: string, bucket: string): Promise<SignedIn>;
}

export interface SignInState {
  /** Null: not signed in. */
  readonly expiresMs: number | null;
  /** There is no token yet. */
  readonly needsSetup: boolean;
}

export interface SignedIn {
  readonly expiresMs: number;
  /** Of the session's cookie. */
  readonly value: string;
}

export interface OperatorAccessOptions {
  /** ADMIN_TOKEN, which goes before a token that was chosen. */
  readonly adminToken: string | null;
  readonly store: OperatorStore;
  readonly sessions: OperatorSessions;
  readonly brake: GuessBrake;
  /** Of this process. */
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Of all copies. */
  readonly wallMs: () => number;
}

export function createOperatorAccess(options: OperatorAccessOptions): OperatorAccess {
  const { adminToken, store, sessions, brake, wallMs } = options;
  const record = createAged(() => store.read(), options.clock, MAX_AGE_MS);
  const digests = createSlowDigests();
  const isToken = createTokenCheck({ adminToken, brake, digests }, () => record.now());
  const signedIn = (known: OperatorRecord): SignedIn => {
    const key = sessionKey(adminToken, known);
    if (key === null) throw new ProxyError("admin_token_needed");
    const expiresMs = wallMs() + SESSION_MS;
    return { expiresMs, value: sessions.sign(key, expiresMs) };
  };
  const needsSetup = async () => adminToken === null && (await record.now()).digest === null;
  const checkToken = async (given: string, bucket: string): Promise<void> => {
    if (await needsSetup()) throw new ProxyError("admin_setup_needed");
    if (!(await isToken(given, bucket))) throw new ProxyError("admin_token_needed");
  };
  const sessionEnd = async (headers: IncomingHttpHeaders): Promise<number | null> => {
    if (!sessions.hasCookie(headers)) return null;
    const key = sessionKey(adminToken, await record.now());
    return key === null ? null : sessions.endOf(headers, key, wallMs());
  };
  return {
    isToken,
    async enter(incoming, bucket) {
      const { headers } = incoming;
      const given = bearerIn(headers);
      if (given !== undefined) return checkToken(given, bucket);
      if ((await sessionEnd(headers)) === null) {
        throw new ProxyError((await needsSetup()) ? "admin_setup_needed" : "admin_token_needed");
      }
      if (!isFromOurPage(incoming)) throw new ProxyError("admin_origin_forbidden");
    },
    async state(headers) {
      return { expiresMs: await sessionEnd(headers), needsSetup: await needsSetup() };
    },
    async signIn(given, bucket) {
      // read first: the session of a token that changes meanwhile holds nowhere
      const known = await record.now();
      await checkToken(given, bucket);
      return signedIn(known);
    },
    async choose(code, token, bucket) {
      const isRight = await brake.decide(bucket, async () => {
        const codeDigest = setupCodeDigest(code);
        const { offered } = await store.read();
        if (adminToken !== null || offered !== codeDigest) return false;
        return store.choose(codeDigest, await digests.make(token));
      });
      if (!isRight) throw new ProxyError("setup_code_rejected");
      record.forget();
      return signedIn(await record.now());
    },
  };
}

/** What sessions depend on; null while there is no token. */
export function sessionKey(
  adminToken: string | null,
  { digest, era }: OperatorRecord,
): string | null {
  if (adminToken !== null) return `set ${sha256(adminToken)} ${era}`;
  return digest === null ? null : `chosen ${digest} ${era}`;
}

/** The code is random and long, so that its digest needs no salt. */
export function setupCodeDigest(code: string): string {
  return sha256(code);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
