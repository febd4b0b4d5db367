import { useEffect, useState } from "preact/hooks";
import { type Denied, whenSignedOut } from "../api.ts";
import { readSession, type SessionState, signOut, takeSetupCode } from "./session.ts";

export interface GateState {
  /** Null until the server has said. */
  readonly session: SessionState | null;
  readonly problem: Denied | null;
  /** Of the link that led here; empty: of no more use. */
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

/** Tells the tabs of this browser that somebody has signed in or out. */
const tabs = new BroadcastChannel("parley operator");

/** What the server says may have changed elsewhere: in another tab, or by a reset. */
function seen(before: GateState, session: SessionState): GateState {
  const wasIn = before.session?.signed_in === true;
  const isIn = session.signed_in;
  const hasEntered = isIn && !wasIn && before.session !== null;
  return {
    ...before,
    session,
    problem: null,
    signIns: before.signIns + (hasEntered ? 1 : 0),
    hasEnded: !isIn && (wasIn || before.hasEnded),
  };
}

/** After a reset another link is needed, not one that the server has said to be over. */
function codeAfter(code: string | null, { signed_in: isIn, setup: isOpen }: SessionState) {
  if (code === null || isIn) return null;
  return isOpen ? code : "";
}

export function useGate() {
  const [gate, setGate] = useState(() => ({ ...start, setupCode: takeSetupCode() }));
  const change = (part: Partial<GateState>) => setGate((before) => ({ ...before, ...part }));
  const look = () =>
    readSession().then(
      (session) =>
        setGate((before) => ({
          ...seen(before, session),
          setupCode: codeAfter(before.setupCode, session),
        })),
      (problem: Denied) => change({ problem }),
    );
  const told = (next: (before: GateState) => GateState) => {
    setGate(next);
    tabs.postMessage(null);
  };
  useEffect(() => {
    whenSignedOut(() => {
      setGate((before) =>
        before.session === null ? before : seen(before, { ...before.session, signed_in: false }),
      );
      // perhaps there is no token any more
      void look();
    });
    const takeCode = () => {
      const setupCode = takeSetupCode();
      if (setupCode === null) return;
      change({ setupCode });
      void look();
    };
    addEventListener("hashchange", takeCode);
    tabs.addEventListener("message", look);
    void look();
    return () => {
      removeEventListener("hashchange", takeCode);
      tabs.removeEventListener("message", look);
    };
  }, []);
  return {
    ...gate,
    look: () => void look(),
    enter: () => told(({ signIns }) => ({ ...start, session: signedIn, signIns: signIns + 1 })),
    leave: () =>
      signOut().then(
        () => told(({ signIns }) => ({ ...start, signIns, session: signedOut })),
        (problem: Denied) => change({ problem }),
      ),
  };
}

const signedOut: SessionState = { ...signedIn, signed_in: false };
