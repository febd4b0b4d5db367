/** A browser's side of the sign-in, as far as requests go. */
import { postJson, type Reply, type SendOptions } from "../support/http.ts";

/** What a browser says of a request by a page of the same origin. */
export const ours = { "sec-fetch-site": "same-origin" } as const;

export interface Browser {
  /** `name=value` of the cookies that it has. */
  cookies(): string;
  send(method: string, path: string, body?: unknown, options?: SendOptions): Promise<Reply>;
  signIn(token: string, headers?: SendOptions["headers"]): Promise<Reply>;
}

/** Keeps cookies as a browser does, and says that its own page asks. */
export function openBrowser(origin: string): Browser {
  const jar = new Map<string, string>();
  const send: Browser["send"] = async (method, path, body, options = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(cookie && { cookie }), ...ours, ...options.headers };
    const reply = await postJson(`${origin}/admin${path}`, body, { ...options, method, headers });
    for (const set of reply.headers["set-cookie"] ?? []) keep(jar, set);
    return reply;
  };
  return {
    cookies: () => [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
    send,
    signIn: (token, headers = {}) => send("POST", "/session", { token }, { headers }),
  };
}

function keep(jar: Map<string, string>, set: string): void {
  const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
  if (/Max-Age=0\b/.test(set)) jar.delete(name);
  else jar.set(name, value);
}
