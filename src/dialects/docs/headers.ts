import type { ErrorCode } from "../../core/errors.ts";

const text = { type: "string" } as const;

/** Headers of answers, described once. */
export const headerComponents = {
  "x-request-id": { schema: text, description: "To name when something goes wrong" },
  "content-language": { schema: text, description: "The language of texts for people" },
  "ratelimit-policy": { schema: text, description: "The limits of the caller's address, if any" },
  ratelimit: { schema: text, description: "What is left of them" },
  "retry-after": { schema: { type: "integer", minimum: 1 }, description: "Seconds" },
  "retry-after-ms": { schema: { type: "integer" }, description: "The same in milliseconds" },
  "x-should-retry": {
    schema: { type: "string", const: "false" },
    description: "There when waiting for less than a minute can't help",
  },
} as const;

type Name = keyof typeof headerComponents;

const ofAll: readonly Name[] = [
  "x-request-id",
  "content-language",
  "ratelimit-policy",
  "ratelimit",
];
const ofWaiting: readonly Name[] = ["retry-after", "retry-after-ms", "x-should-retry"];

export const commonHeaders = refs(ofAll);

/** Of errors: some tell when to come back. */
export function errorHeaders(codes: readonly ErrorCode[]) {
  return codes.some((code) => comesBack.has(code)) ? refs([...ofAll, ...ofWaiting]) : commonHeaders;
}

const comesBack: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "rate_limited",
  "streams_limited",
  "quota_exceeded",
  "upstream_rate_limited",
  "draining",
  "overloaded",
]);

function refs(names: readonly Name[]) {
  return Object.fromEntries(
    names.map((name) => [name, { $ref: `#/components/headers/${name}` as const }]),
  );
}
