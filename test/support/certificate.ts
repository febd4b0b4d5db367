/**
 * A certificate for localhost that nobody trusts, and its key; valid until 2126. Made by
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
 * -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1`.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const certPath = fixture("localhost-cert.pem");
export const keyPath = fixture("localhost-key.pem");
/** Of the same key: for localhost, but of yesterday; and for another host. */
export const expiredCertPath = fixture("expired-cert.pem");
export const elsewhereCertPath = fixture("elsewhere-cert.pem");
export const cert = readFileSync(certPath);

function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
}
