import { bareKey } from "./bare-key.ts";
import { currentLanguage, t } from "./texts.ts";

/** As much as a large document takes on a slow line. */
const MAX_MS = 60_000;

/** Why the server did not answer, in words. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, words: string) {
    super(words);
    this.status = status;
  }
}

/** Headers of every call: texts for people come in the page's language. */
export function headersWith(credential: string): Record<string, string> {
  const own = bareKey(credential);
  return {
    "accept-language": currentLanguage(),
    ...(own !== "" && { authorization: `Bearer ${own}` }),
  };
}

/** The JSON at a path; throws Refused with words for the reader, also where it takes too long. */
export async function getJson<T>(path: string, credential = "", maxMs = MAX_MS): Promise<T> {
  const headers = { ...headersWith(credential), accept: "application/json" };
  const unreached = () => {
    throw new Refused(0, t("offline"));
  };
  const signal = AbortSignal.timeout(maxMs);
  const response = await fetch(path, { headers, signal }).catch(unreached);
  if (!response.ok) throw new Refused(response.status, await reasonOf(response));
  return response.json().catch(unreached);
}

/** The words of an error, in whichever of the server's forms. */
export async function reasonOf(response: Response): Promise<string> {
  const body = await response.json().catch(() => null);
  const words = body?.data?.response ?? body?.error?.message ?? body?.message;
  return typeof words === "string" ? words : t("failed", { status: response.status });
}
