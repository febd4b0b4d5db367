import { createSecureContext } from "node:tls";
import type { ConfigProblem } from "./read.ts";

const CERT = "GRPC_TLS_CERT";
const KEY = "GRPC_TLS_KEY";

/** What is wrong with the certificate and the key that these settings name, looked at where both are set. */
export function tlsProblems(
  texts: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
): ConfigProblem[] {
  const { [CERT]: certPath, [KEY]: keyPath } = texts;
  if (!certPath || !keyPath) return [];
  const cert = contentOf(certPath, readFile);
  const key = contentOf(keyPath, readFile);
  const missing = [...(cert === null ? [CERT] : []), ...(key === null ? [KEY] : [])].map(
    (name) => ({ name, key: "file_missing" }),
  );
  if (cert === null || key === null) return missing;
  if (!canBeUsed({ cert })) return [{ name: CERT, key: "file_not_certificate" }];
  return canBeUsed({ cert, key })
    ? []
    : [{ name: KEY, key: "file_not_key", params: { other: CERT } }];
}

function contentOf(path: string, readFile: (path: string) => string): string | null {
  try {
    return readFile(path);
  } catch {
    return null;
  }
}

function canBeUsed(pair: { readonly cert: string; readonly key?: string }): boolean {
  if (Object.values(pair).some((text) => text.trim() === "")) return false; // Node takes it for none
  try {
    createSecureContext(pair);
    return true;
  } catch {
    return false;
  }
}
