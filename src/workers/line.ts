import { type ErrorCode, ProxyError, toProxyError } from "../core/errors.ts";

/** What one thread does for another, by name. Values are copied, so they are plain. */
type Deeds<Names> = { [Name in keyof Names]: (...args: never[]) => unknown };

/** Questions and answers between two threads, in order. */
export interface Line<Theirs extends Deeds<Theirs>> {
  ask<Name extends keyof Theirs>(
    name: Name,
    ...args: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>>;
  /** Without waiting for an answer. */
  tell<Name extends keyof Theirs>(name: Name, ...args: Parameters<Theirs[Name]>): void;
  /** The other thread is gone: whoever waits for it is told. */
  cut(): void;
}

/** A Worker as its maker sees it, or the port to that maker. */
interface Port {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: Message) => void): unknown;
}

interface Asked {
  readonly kind: "asked";
  /** Null when no answer is waited for. */
  readonly id: number | null;
  readonly name: string;
  readonly args: never[];
}

interface Answered {
  readonly kind: "answered";
  readonly id: number;
  readonly value: unknown;
}

interface Failed {
  readonly kind: "failed";
  readonly id: number;
  readonly code: ErrorCode;
  readonly options: Pick<ProxyError, "params" | "facts" | "retryAfterMs" | "refusal">;
}

type Message = Asked | Answered | Failed;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export function createLine<Theirs extends Deeds<Theirs>, Mine extends Deeds<Mine>>(
  port: Port,
  mine: Mine,
): Line<Theirs> {
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let isCut = false;

  port.on("message", (message) => {
    if (message.kind === "asked") return void answer(port, mine, message);
    const one = waiting.get(message.id);
    waiting.delete(message.id);
    // the answer has the type that the name of the question says
    if (message.kind === "answered") one?.resolve(message.value as never);
    else one?.reject(new ProxyError(message.code, message.options));
  });

  return {
    ask: (name, ...args) =>
      new Promise((resolve, reject) => {
        if (isCut) return reject(gone());
        asked += 1;
        waiting.set(asked, { resolve, reject });
        port.postMessage({ kind: "asked", id: asked, name, args });
      }),
    tell: (name, ...args) => port.postMessage({ kind: "asked", id: null, name, args }),
    cut() {
      isCut = true;
      for (const { reject } of waiting.values()) reject(gone());
      waiting.clear();
    },
  };
}

async function answer<Mine extends Deeds<Mine>>(
  port: Port,
  mine: Mine,
  { id, name, args }: Asked,
): Promise<void> {
  try {
    // the other side asks by the names of this very type
    const value = await mine[name as keyof Mine](...args);
    if (id !== null) port.postMessage({ kind: "answered", id, value });
  } catch (thrown) {
    const { code, params, facts, retryAfterMs, refusal } = toProxyError(thrown);
    const options = { params, facts, retryAfterMs, refusal };
    if (id !== null) port.postMessage({ kind: "failed", id, code, options });
  }
}

function gone(): ProxyError {
  return new ProxyError("internal", { cause: new Error("the other thread is gone") });
}
