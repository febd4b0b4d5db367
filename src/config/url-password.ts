/** Characters of a password that end it in a URL, unless they are encoded. */
const ENDING = { "#": "%23", "/": "%2F", "?": "%3F" } as const;

/**
 * The first such character in what follows the `://`, and how to write it; null if none shows. A # is
 * never part of these URLs; an @ behind a / or ? shows that a password was cut there.
 */
export function unencodedIn(rest: string): { character: string; code: string } | null {
  const cut = rest.includes("#") ? "#" : /^[^/?]*([/?])[^?]*@/s.exec(rest)?.[1];
  return cut === "#" || cut === "/" || cut === "?" ? { character: cut, code: ENDING[cut] } : null;
}
