import type { ResponseBody, UpstreamResponse } from "../exchange.ts";

/** An answer that needs no service. */
export function localResponse(value: object): UpstreamResponse {
  const headers = { "content-type": "application/json" };
  return { status: 200, headers, body: bodyOf(Buffer.from(JSON.stringify(value))) };
}

function bodyOf(bytes: Buffer): ResponseBody {
  const chunks = [bytes];
  return {
    next() {
      const value = chunks.shift();
      return Promise.resolve(value === undefined ? { done: true, value } : { done: false, value });
    },
    whole: () => Promise.resolve(Buffer.concat(chunks.splice(0))),
    unread: (chunk) => void chunks.unshift(chunk),
    unbound: () => undefined,
    drain: () => void chunks.splice(0),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
