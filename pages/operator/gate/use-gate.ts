import { useEffect, useState } from "preact/hooks";
import { type Denied, whenSignedOut } from "../api.ts";
import { readSession, type SessionState, signOut, takeSetupCode } from "./session.ts";

export interface GateState {
  /** Null until the server has said. */
  readonly session: SessionState | null;
  readonly problem: Denied | null;
  readonly setupCode: string | null;
  /** How often somebody has signed in here. */
  readonly signIns: number;
  /** Ended while the page was in use: its views wait for the next sign-in. */
  readonly hasEnded: boolean;
}

const start: GateState = {
  session: null,
  problem: null,
  setupCode: null,
  signIns: 0,
  hasEnded: false,
};
const signedIn: SessionState = { signed_in: true, expires_at: null, setup: false };

export function useGate() {
  const [gate, setGate] = useState(() => ({ ...start, setupCode: takeSetupCode() }));
  const change = (part: Partial<GateState>) => setGate((before) => ({ ...before, ...part }));
  const look = () =>
    readSession().then(
      (session) => change({ session, problem: null }),
      (problem: Denied) => change({ problem }),
    );
  useEffect(() => {
    whenSignedOut(() =>
      setGate((before) =>
        before.session?.signed_in === true
          ? { ...before, session: { ...before.session, signed_in: false }, hasEnded: true }
          : before,
      ),
    );
    const takeCode = () => {
      const setupCode = takeSetupCode();
      if (setupCode !== null) change({ setupCode });
    };
    addEventListener("hashchange", takeCode);
    void look();
    return () => removeEventListener("hashchange", takeCode);
  }, []);
  return {
    ...gate,
    look: () => void look(),
    enter: () =>
      setGate((before) => ({ ...start, session: signedIn, signIns: before.signIns + 1 })),
    leave: () =>
      signOut().then(
        () => setGate((before) => ({ ...start, signIns: before.signIns, session: signedOut })),
        (problem: Denied) => change({ problem }),
      ),
  };
}

const signedOut: SessionState = { ...signedIn, signed_in: false };
