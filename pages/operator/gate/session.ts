import { ask } from "../api.ts";

/** As `GET /admin/session` answers. */
export interface SessionState {
  readonly signed_in: boolean;
  readonly expires_at: string | null;
  /** Nobody has chosen an operator's token yet. */
  readonly setup: boolean;
}

export const readSession = () => ask<SessionState>("GET", "session");
export const signIn = (token: string) => ask("POST", "session", { token });
export const setUp = (code: string, token: string) => ask("POST", "setup", { code, token });
export const signOut = () => ask("DELETE", "session");

const SETUP = /^#setup=(.+)$/;

/** The code of a one-time link, which is taken out of the address at once. */
export function takeSetupCode(): string | null {
  const [, code = null] = SETUP.exec(location.hash) ?? [];
  if (code !== null) history.replaceState(null, "", location.pathname + location.search);
  return code;
}
