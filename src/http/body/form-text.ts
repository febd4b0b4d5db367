import { randomUUID } from "node:crypto";
import type { FormPart } from "./form.ts";

/** A form as it goes to the service. */
export interface WrittenForm {
  readonly contentType: string;
  readonly bytes: Buffer;
}

/**
 * Writes a form again. Its boundary is a new one that no client can know, so the service finds the same
 * parts in it, whatever stands in a file.
 */
export function writeForm(parts: readonly FormPart[]): WrittenForm {
  const boundary = `parley-${randomUUID()}`;
  const bytes = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${headOf(part)}\r\n\r\n`),
    ...part.pieces,
    LINE_END,
  ]);
  const end = Buffer.from(`--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([...bytes, end]),
  };
}

const LINE_END = Buffer.from("\r\n");
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

function headOf({ name, file }: FormPart): string {
  const field = `Content-Disposition: form-data; name="${escaped(name)}"`;
  if (file === null) return field;
  const type = MEDIA_TYPE.test(file.contentType) ? file.contentType : "application/octet-stream";
  return `${field}; filename="${escaped(file.name)}"\r\nContent-Type: ${type}`;
}

/** As browsers write it. */
function escaped(name: string): string {
  return name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}
