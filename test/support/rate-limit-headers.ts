/** A strict reader of RateLimit and RateLimit-Policy: nothing but what draft-10 allows of them. */
import type { IncomingHttpHeaders } from "node:http";

export interface ReadWindow {
  readonly name: string;
  readonly quota: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** Throws when a header is out of form or the two do not name the same windows in one order. */
export function readRateLimits(headers: IncomingHttpHeaders): ReadWindow[] {
  const policies = readItems(headers["ratelimit-policy"], ["q", "w"]);
  const states = readItems(headers.ratelimit, ["r", "t"]);
  if (policies.length !== states.length) throw new Error("policies and states differ in number");
  return policies.map(({ name, values: [quota = 0, windowSeconds = 0] }, index) => {
    const state = states[index];
    if (state?.name !== name) throw new Error(`no state of the policy ${name}`);
    const [remaining = 0, resetSeconds = 0] = state.values;
    if (remaining > quota || resetSeconds > windowSeconds) throw new Error("more than there is");
    return { name, quota, windowSeconds, remaining, resetSeconds };
  });
}

function readItems(header: string | string[] | undefined, parameters: readonly string[]) {
  if (typeof header !== "string") throw new Error("the header is missing or comes twice");
  return header.split(", ").map((item) => {
    const [quoted = "", ...pairs] = item.split(";");
    const name = /^"([a-z]+)"$/.exec(quoted)?.[1];
    if (name === undefined || pairs.length !== parameters.length) throw new Error(`item: ${item}`);
    const values = pairs.map((pair, index) => {
      const value = new RegExp(`^${parameters[index]}=(0|[1-9]\\d{0,14})$`).exec(pair)?.[1];
      if (value === undefined) throw new Error(`parameter: ${pair}`);
      return Number(value);
    });
    return { name, values };
  });
}
