import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { CallSignal } from "../core/call/call.ts";
import { abortReason, ProxyError } from "../core/errors.ts";
import type { Deadline } from "./deadlines.ts";
import { fromTransportFailure } from "./errors.ts";

/**
 * How many bytes may wait for a reader before the upstream is told to pause: with one socket read
 * of at most 64 KiB on top, an answer nobody reads holds about 128 KiB.
 */
const PAUSE_ABOVE_BYTES = 65_536;
/** The end of a chunked body usually comes with its last event; a server gets this long. */
const DRAIN_MS = 1_000;

/** The head of an upstream's answer; the body follows as it arrives. */
export interface OutboundAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: OutboundBody;
}

/** Undecoded bytes; leaving the loop early closes the upstream connection. */
export interface OutboundBody extends AsyncIterableIterator<Buffer> {
  /** The body as one, instead of piece by piece; more bytes than that are a failure. */
  whole(maxBytes: number): Promise<Buffer>;
  /** Nothing more is wanted, but the connection may live on if the answer ends soon. */
  drain(): void;
}

interface ExchangeOptions {
  readonly signal: CallSignal;
  /** Most bytes the body may have; more is a failure. */
  readonly maxBytes: number;
  /** The longest silence between two pieces of the body, while a reader waits for the next. */
  readonly idleMs: number;
}

/** Who waits for the whole body. */
interface Gathering {
  readonly maxBytes: number;
  resolve(body: Buffer): void;
  reject(error: ProxyError): void;
}

interface Waiter {
  resolve(result: IteratorResult<Buffer>): void;
  reject(error: ProxyError): void;
}

/**
 * One request's life on the wire: undici calls the on… methods, the reader calls next(). A class,
 * since one object a call with its methods on the prototype is the cheapest shape (no stream, no
 * Headers, no Response).
 */
export class Exchange implements Dispatcher.DispatchHandler, OutboundBody {
  readonly head: Promise<OutboundAnswer>;
  #resolveHead: (answer: OutboundAnswer) => void = () => {};
  #rejectHead: (error: ProxyError) => void = () => {};
  readonly #options: ExchangeOptions;
  #controller: Dispatcher.DispatchController | null = null;
  #deadline: Deadline | null = null;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #receivedBytes = 0;
  #waiter: Waiter | null = null;
  #gathering: Gathering | null = null;
  #started = false;
  #ended = false;
  #draining = false;
  #failure: ProxyError | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
    });
    if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  watch(deadline: Deadline): void {
    if (this.#isOver()) deadline.clear();
    else this.#deadline = deadline;
  }

  readonly expire = (): void => {
    const failure = new ProxyError("upstream_timeout");
    if (this.#draining) this.#controller?.abort(failure);
    else this.#fail(failure);
  };

  readonly #onAbort = (): void => {
    this.#fail(abortReason(this.#options.signal));
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure !== null) controller.abort(this.#failure);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.#started = true;
    this.#resolveHead({ status, headers, body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#draining) return;
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#options.maxBytes) {
      this.#fail(new ProxyError("upstream_bad_answer"));
      return;
    }
    if (this.#gathering !== null) {
      this.#gather(chunk, this.#gathering);
      return;
    }
    // while a slow client is being served the upstream isn't late: only the total runs on
    this.#deadline?.move(Number.POSITIVE_INFINITY);
    if (this.#waiter !== null) {
      const waiter = this.#waiter;
      this.#waiter = null;
      waiter.resolve({ done: false, value: chunk });
      return;
    }
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes > PAUSE_ABOVE_BYTES) controller.pause();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#release();
    this.#waiter?.resolve({ done: true, value: undefined });
    this.#waiter = null;
    this.#gathering?.resolve(this.#joined());
    this.#gathering = null;
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#draining) this.#release();
    // what undici refuses to send, such as a key with a line end, is no fault of the upstream
    const unsendable = this.#controller === null && error.name === "InvalidArgumentError";
    this.#fail(
      unsendable
        ? new ProxyError("internal", { cause: error })
        : fromTransportFailure(error, this.#started),
    );
  }

  next(): Promise<IteratorResult<Buffer>> {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      if (this.#controller?.paused && this.#queuedBytes === 0) this.#controller.resume();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#receivedBytes > 0) this.#deadline?.move(this.#options.idleMs);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  whole(maxBytes: number): Promise<Buffer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(this.#joined());
    return new Promise((resolve, reject) => {
      this.#gathering = { maxBytes, resolve, reject };
      if (this.#queuedBytes > maxBytes) this.#fail(new ProxyError("upstream_bad_answer"));
      if (this.#receivedBytes > 0) this.#deadline?.move(this.#options.idleMs);
      if (this.#controller?.paused) this.#controller.resume();
    });
  }

  #gather(chunk: Buffer, { maxBytes }: Gathering): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes > maxBytes) this.#fail(new ProxyError("upstream_bad_answer"));
    this.#deadline?.move(this.#options.idleMs);
  }

  #joined(): Buffer {
    const [first] = this.#queue;
    return this.#queue.length === 1 && first !== undefined ? first : Buffer.concat(this.#queue);
  }

  /** The reader leaves: whatever is still to come is not wanted. */
  return(): Promise<IteratorResult<Buffer>> {
    if (!this.#ended) this.#fail(new ProxyError("canceled"));
    return Promise.resolve({ done: true, value: undefined });
  }

  drain(): void {
    if (this.#isOver()) return;
    this.#ended = true;
    this.#draining = true;
    this.#queue = [];
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#deadline?.move(DRAIN_MS);
    if (this.#controller?.paused) this.#controller.resume();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #isOver(): boolean {
    return this.#ended || this.#failure !== null;
  }

  #fail(failure: ProxyError): void {
    if (this.#isOver()) return;
    this.#failure = failure;
    this.#release();
    this.#controller?.abort(failure);
    if (!this.#started) this.#rejectHead(failure);
    this.#waiter?.reject(failure);
    this.#waiter = null;
    this.#gathering?.reject(failure);
    this.#gathering = null;
  }

  #release(): void {
    this.#deadline?.clear();
    this.#options.signal.removeEventListener("abort", this.#onAbort);
  }
}
