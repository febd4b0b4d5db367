/** A certificate for localhost that signs itself, made by openssl in a folder of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: Buffer;
  remove(): void;
}

export function createCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "parley-certificate-"));
  const certPath = join(folder, "cert.pem");
  const keyPath = join(folder, "key.pem");
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...[
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
      ],
      ...["-keyout", keyPath, "-out", certPath],
    ],
    { stdio: "ignore" },
  );
  return {
    certPath,
    keyPath,
    cert: readFileSync(certPath),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
