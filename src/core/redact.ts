import { findKeyShapes } from "./key-shapes.ts";
import {
  createCurrentSecrets,
  createKnownSecrets,
  type KnownSecrets,
  type SecretList,
} from "./known-secrets.ts";
import { unescaped } from "./unescaped.ts";

export const REMOVED = "[removed]";
const LINE_END = /[\r\n]/;
const LINES = /[^\r\n]+/g;

/** Removes credentials from foreign text on its way to a client or a log. */
export type Redact = (text: string, ofThisCall?: readonly string[]) => string;

/** Also removes these secrets, whatever they look like; what a call adds is looked for in its texts alone. */
export function createRedact(secrets: SecretList): Redact {
  const current = createCurrentSecrets(secrets);
  return (text, ofThisCall = []) => {
    const { known } = current();
    const shown = without(text, [known, createKnownSecrets(ofThisCall)]);
    // a key may go on in the next line; that another one begins there is seen in the line alone
    return LINE_END.test(shown) ? shown.replace(LINES, (line) => without(line, [])) : shown;
  };
}

/** For texts that no secret of the server can be in. */
export const redact: Redact = createRedact([]);

function without(original: string, known: readonly KnownSecrets[]): string {
  const { text, originOf } = unescaped(original);
  const hidden = new Uint8Array(text.length);
  const hide = (start: number, end: number) => void hidden.fill(1, start, end);
  findKeyShapes(text, hide);
  for (const secrets of known) secrets.find(text, hide);
  let shown = "";
  let end = 0;
  for (let start = hidden.indexOf(1); start !== -1; start = hidden.indexOf(1, end)) {
    shown += original.slice(originOf(end), originOf(start)) + REMOVED;
    const next = hidden.indexOf(0, start);
    end = next === -1 ? text.length : next;
  }
  return end === 0 ? original : shown + original.slice(originOf(end));
}
