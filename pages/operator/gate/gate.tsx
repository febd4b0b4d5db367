import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { SignIns } from "../asked.ts";
import { leaveBy } from "../forms/held.ts";
import { Problem } from "../problem.tsx";
import { ViewsSeen } from "../seen.ts";
import { SetupForm } from "./setup.tsx";
import { SignInForm } from "./sign-in.tsx";
import { useGate } from "./use-gate.ts";

interface GateProps {
  readonly children: (leave: () => void) => ComponentChildren;
}

/**
 * Shows its children to whoever is signed in. Where a session ends, they stay as they are and wait
 * unseen: what was typed is still there after the next sign-in.
 */
export function Gate({ children }: GateProps) {
  const gate = useGate();
  const { session, problem, signIns } = gate;
  const isIn = session?.signed_in === true;
  const views = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // the form that had the focus is gone
    if (signIns > 0) views.current?.focus();
  }, [signIns]);
  return (
    <SignIns.Provider value={signIns}>
      {session === null && <h1>{t("operator.title")}</h1>}
      {session === null && problem === null && <p class="quiet">{t("loading")}</p>}
      <Problem problem={problem} onAgain={gate.look} />
      {session !== null && !isIn && <Ways gate={gate} />}
      {(isIn || gate.hasEnded) && (
        <div ref={views} class="views" tabIndex={-1} hidden={!isIn}>
          <ViewsSeen.Provider value={isIn}>
            {children(() => leaveBy(() => void gate.leave()))}
          </ViewsSeen.Provider>
        </div>
      )}
    </SignIns.Provider>
  );
}

function Ways({ gate }: { readonly gate: ReturnType<typeof useGate> }) {
  const { session, setupCode, hasEnded, enter } = gate;
  if (session?.setup === true) {
    return setupCode ? <SetupForm code={setupCode} onEnter={enter} /> : <NoLink />;
  }
  return (
    <>
      {setupCode !== null && <p class="warning gate">{t("operator.setup.done")}</p>}
      <SignInForm hasEnded={hasEnded} onEnter={enter} />
    </>
  );
}

/** As in a container, and as without one. */
const RESETS = ["docker compose exec web parley admin reset", "npm run -s parley -- admin reset"];

/** Nobody can sign in yet, and this is not the link from the log. */
function NoLink() {
  return (
    <section class="gate">
      <h1>{t("operator.setup.title")}</h1>
      <p>{t("operator.setup.no_link")}</p>
      <p>{t("operator.setup.reset")}</p>
      <pre>{RESETS.join("\n")}</pre>
    </section>
  );
}
