import type { Metadata } from "@grpc/grpc-js";

/** Metadata that means something here, as headers of the same names do over HTTP. */
const NAMES = [
  "accept-language",
  "access-token",
  "api-key",
  "authorization",
  "forwarded",
  "openai-token",
  "x-forwarded-for",
] as const;

export type CallHeaders = Partial<Record<(typeof NAMES)[number], string>>;

/** One of a name that came several times is a list, as in HTTP. */
export function headersOf(metadata: Metadata): CallHeaders {
  const headers: CallHeaders = {};
  for (const name of NAMES) {
    const values = metadata.get(name).filter((value) => typeof value === "string");
    if (values.length > 0) headers[name] = values.join(", ");
  }
  return headers;
}
