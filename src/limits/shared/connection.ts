import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import type { Reply, Script } from "./store.ts";
import { createTickCork } from "./tick-cork.ts";

/** Where the store listens and as whom to log in. */
export interface StoreAddress {
  readonly target:
    | { readonly host: string; readonly port: number; readonly tls: boolean }
    | { readonly path: string };
  readonly username: string | null;
  readonly password: string | null;
  readonly db: number;
  /** The certificate authority in PEM form, for TLS; null trusts what Node trusts. */
  readonly ca: string | null;
}

/** One connection. It is never mended: who loses it opens another. */
export interface Link {
  /** Rejects with the store's error, or when the connection is lost. */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply>;
  close(): void;
}

export type Argument = string | number | Uint8Array;

/** A longer handshake means a store that is away. */
const CONNECT_MS = 1_000;

/**
 * Resolves once commands may be sent. `onLost` is called once, with the reason, unless `close` was.
 * ioredis (MIT) is the smallest client that is kept up: 8 packages, 1.6 MB. It does the protocol here;
 * when to connect, to give up and to ask again is decided in `availability.ts`.
 */
export async function connect(
  address: StoreAddress,
  onLost: (error: Error) => void,
): Promise<Link> {
  const redis = new Redis(optionsOf(address));
  let failure: Error | null = null;
  // the database of the URL may not exist: the client would go on with another
  redis.on("error", (error: Error) => {
    failure ??= error;
  });
  // a store that hangs takes the connection, and says nothing to the login
  const timer = setTimeout(() => {
    failure ??= Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" });
    redis.disconnect();
  }, CONNECT_MS);
  try {
    await redis.connect();
    if (failure !== null) throw failure as Error;
  } catch (error) {
    redis.disconnect();
    throw failure ?? error;
  } finally {
    clearTimeout(timer);
  }
  const sent = new WeakSet<Script>();
  const beforeWrite = createTickCork(redis.stream);
  let open = true;
  redis.once("close", () => {
    if (open) onLost(failure ?? new Error("the connection was closed"));
    open = false;
  });
  return {
    run: (script, keys, args) => {
      beforeWrite();
      return runScript(redis, sent, script, [keys.length, ...keys, ...args.map(wordOf)]);
    },
    close() {
      open = false;
      redis.disconnect();
    },
  };
}

function optionsOf({ target, username, password, db, ca }: StoreAddress) {
  return {
    ...("path" in target ? target : { host: target.host, port: target.port }),
    ...("tls" in target && target.tls ? { tls: ca === null ? {} : { ca } } : {}),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    db,
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    retryStrategy: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // INFO, HELLO and CLIENT would be three more rights that nothing else needs
    enableReadyCheck: false,
    protocol: 2 as const,
    disableClientInfo: true,
  };
}

const digests = new WeakMap<Script, string>();

/** The text once for each connection, then its digest: one round trip, unless the store has forgotten it. */
async function runScript(
  redis: Redis,
  sent: WeakSet<Script>,
  script: Script,
  words: readonly (string | number | Buffer)[],
): Promise<Reply> {
  const send = (command: "evalsha" | "eval", text: string) => {
    const all = [text, ...words];
    const asked = script.bytes === true ? redis.callBuffer(command, all) : redis.call(command, all);
    return asked as Promise<Reply>;
  };
  const sendText = () => {
    sent.add(script);
    return send("eval", script.lua);
  };
  if (!sent.has(script)) return sendText();
  try {
    return await send("evalsha", digestOf(script));
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return sendText();
  }
}

function wordOf(argument: Argument): string | number | Buffer {
  if (!(argument instanceof Uint8Array)) return argument;
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}

function digestOf(script: Script): string {
  const known = digests.get(script);
  if (known !== undefined) return known;
  const digest = createHash("sha1").update(script.lua).digest("hex");
  digests.set(script, digest);
  return digest;
}
