import { abortReason, ProxyError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { Room, roomBytes, shareOf } from "../room.ts";
import { type CallSignal, LightSignal } from "./call.ts";

/** An answer that is parsed and written again takes twice its size. */
export const REWRITTEN_WEIGHT = 2;

/** For what has arrived of all whole answers. */
const ROOM_BYTES = 134_217_728;
const WAIT_MS = 10_000;
const RETRY_MS = 1_000;
/** So much may become garbage before it is collected. */
const COLLECT_BYTES = 25_165_824;
/**
 * A room beside it for answers that are, so far, no longer than this. Few slow readers can fill the large
 * one, and the answers of everybody else are as short as these.
 */
const SHORT_BYTES = 262_144;
const SHORT_ROOM_BYTES = 16_777_216;
const SHORT_SHARE_BYTES = 1_048_576;
/** Not counted: a few pages are not worth it. */
const SMALL_BYTES = 16_384;

/** The part of the room that belongs to one call. */
export interface AnswerHold {
  /** An answer begins to arrive, of so many bytes at most. */
  begin(maxBytes: number): void;
  /** Counts what has arrived. Without room it waits a while, then rejects `overloaded`. */
  take(bytes: number, signal: CallSignal): Promise<void> | undefined;
  /** All has arrived. It keeps its room until the call is over. */
  arrived(): void;
  /** Nothing of it is kept. */
  drop(): void;
  /** The call is over: its answer has gone to the client, or never will. */
  leave(): void;
}

/** Bounds all whole answers together, and those of one bucket at a quarter. */
export interface AnswerRoom {
  enter(bucket: string): AnswerHold;
}

export interface AnswerRoomOptions {
  /** The largest answer. A share has room for one. */
  readonly maxAnswerBytes: number;
  readonly clock: Pick<Clock, "sleep">;
  /** Frees the memory of what has left. */
  readonly collect: () => void;
}

export function createAnswerRoom({ maxAnswerBytes, ...ports }: AnswerRoomOptions): AnswerRoom {
  const places = new Places(roomBytes(ROOM_BYTES, maxAnswerBytes), ports);
  return { enter: (bucket) => new Hold(bucket, places) };
}

/** A class, because every call has one. */
class Hold implements AnswerHold {
  readonly bucket: string;
  readonly #places: Places;
  #arrivedBytes = 0;
  #isGrowing = false;
  #hasLeft = false;
  /** Written by the places only. */
  heldBytes = 0;
  shortBytes = 0;
  maxBytes = 0;

  constructor(bucket: string, places: Places) {
    this.bucket = bucket;
    this.#places = places;
  }

  begin(maxBytes: number): void {
    this.maxBytes = Math.min(maxBytes, this.#places.shareBytes);
    this.#isGrowing = true;
  }

  take(bytes: number, signal: CallSignal): Promise<void> | undefined {
    // what counts twice may be larger than a share, which then is all that it can take
    this.#arrivedBytes = Math.min(this.#arrivedBytes + bytes, this.#places.shareBytes);
    if (this.#arrivedBytes <= SMALL_BYTES) return;
    if (this.heldBytes === 0 && this.#places.takeShort(this, this.#arrivedBytes)) return;
    return this.#places.take(this, this.#arrivedBytes - this.heldBytes, signal);
  }

  arrived(): void {
    this.#isGrowing = false;
    if (this.#hasLeft) this.drop();
    else if (this.heldBytes > 0) this.#places.arrived(this);
  }

  drop(): void {
    this.#isGrowing = false;
    this.#arrivedBytes = 0;
    if (this.heldBytes + this.shortBytes > 0) this.#places.leave(this);
  }

  leave(): void {
    this.#hasLeft = true;
    // what is read on for its usage leaves when it ends
    if (!this.#isGrowing) this.drop();
  }
}

/** The room, or a bucket's share of it. */
class Part {
  readonly growing = new Set<Hold>();
  readonly #maxBytes: number;
  heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The oldest answer that grows may take all that is left. The others leave room for the largest that
   * grows, so that one after the other can be completed: none waits for another that waits for it.
   */
  fits(hold: Hold, bytes: number): boolean {
    if (this.heldBytes + bytes > this.#maxBytes) return false;
    const [oldest = hold] = this.growing;
    if (oldest === hold) return true;
    let reserved = hold.maxBytes;
    for (const { maxBytes } of this.growing) reserved = Math.max(reserved, maxBytes);
    return this.heldBytes - oldest.heldBytes + bytes <= this.#maxBytes - reserved;
  }
}

interface Waiting {
  readonly hold: Hold;
  readonly bytes: number;
  readonly go: () => void;
}

class Places {
  readonly #ports: Omit<AnswerRoomOptions, "maxAnswerBytes">;
  readonly #all: Part;
  readonly #short = new Room(SHORT_ROOM_BYTES, SHORT_SHARE_BYTES);
  readonly shareBytes: number;
  /** Bounded by the answers that hold something. */
  readonly #shares = new Map<string, Part>();
  /** First come, first served. Bounded by the open calls. */
  readonly #queue = new Set<Waiting>();

  #garbageBytes = 0;

  constructor(maxBytes: number, ports: Omit<AnswerRoomOptions, "maxAnswerBytes">) {
    this.#ports = ports;
    this.#all = new Part(maxBytes);
    this.shareBytes = shareOf(maxBytes);
  }

  /** Keeps a short answer out of the large room; false if it isn't one, or has no room here. */
  takeShort(hold: Hold, bytes: number): boolean {
    const fits = bytes <= SHORT_BYTES && this.#short.resize(hold.bucket, hold.shortBytes, bytes);
    if (fits) hold.shortBytes = bytes;
    return fits;
  }

  #leaveShort(hold: Hold): void {
    this.#short.resize(hold.bucket, hold.shortBytes, 0);
    hold.shortBytes = 0;
  }

  take(hold: Hold, bytes: number, signal: CallSignal): Promise<void> | undefined {
    return this.#add(hold, bytes) ? undefined : this.#wait(hold, bytes, signal);
  }

  /** Its pieces are garbage as soon as they are joined. */
  arrived(hold: Hold): void {
    this.#noteGarbage(hold.heldBytes);
    this.#stop(hold);
  }

  #stop(hold: Hold): void {
    this.#all.growing.delete(hold);
    this.#shares.get(hold.bucket)?.growing.delete(hold);
    this.#serve();
  }

  leave(hold: Hold): void {
    this.#leaveShort(hold);
    const share = this.#shares.get(hold.bucket);
    if (share === undefined || hold.heldBytes === 0) return;
    share.heldBytes -= hold.heldBytes;
    this.#all.heldBytes -= hold.heldBytes;
    this.#noteGarbage(hold.heldBytes);
    hold.heldBytes = 0;
    if (share.heldBytes === 0) this.#shares.delete(hold.bucket);
    this.#stop(hold);
  }

  #noteGarbage(bytes: number): void {
    this.#garbageBytes += bytes;
    if (this.#garbageBytes < COLLECT_BYTES) return;
    this.#garbageBytes = 0;
    this.#ports.collect();
  }

  #add(hold: Hold, bytes: number): boolean {
    const share = this.#shares.get(hold.bucket) ?? new Part(this.shareBytes);
    if (!share.fits(hold, bytes) || !this.#all.fits(hold, bytes)) return false;
    this.#shares.set(hold.bucket, share);
    for (const part of [share, this.#all]) {
      part.growing.add(hold);
      part.heldBytes += bytes;
    }
    hold.heldBytes += bytes;
    this.#leaveShort(hold);
    return true;
  }

  #serve(): void {
    for (const { hold, bytes, go } of this.#queue) if (this.#add(hold, bytes)) go();
  }

  #wait(hold: Hold, bytes: number, signal: CallSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = new LightSignal();
      const settle = (done: () => void) => {
        if (!this.#queue.delete(waiting)) return;
        signal.removeEventListener("abort", onAbort);
        over.abort();
        done();
      };
      const waiting = { hold, bytes, go: () => settle(resolve) };
      const onAbort = () => settle(() => reject(abortReason(signal)));
      const onLate = () => settle(() => reject(overloaded()));
      this.#queue.add(waiting);
      signal.addEventListener("abort", onAbort, { once: true });
      void this.#ports.clock.sleep(WAIT_MS, over).then(onLate);
    });
  }
}

function overloaded(): ProxyError {
  return new ProxyError("overloaded", { retryAfterMs: RETRY_MS });
}
