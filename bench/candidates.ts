import { fileURLToPath } from "node:url";
import { issueToken, OWN_KEY, PARLEY_SCRIPT, parleyEnv } from "./parley.ts";
import { MODEL } from "./requests.ts";

/** What a candidate is told when it is started. */
export interface Place {
  readonly port: number;
  readonly upstreamOrigin: string;
}

export interface Candidate {
  /** The node script to start; null is no gateway: calls go straight to the upstream. */
  readonly script: string | null;
  readonly args: (place: Place) => readonly string[];
  /** The whole environment of the process; nothing is inherited. */
  readonly env: (place: Place) => Readonly<Record<string, string>>;
  /** GET on it answers 200 once the candidate is ready. */
  readonly readyPath: string;
  /** Sets up what is up and says which credential calls are to carry. */
  readonly bearer: (origin: string) => Promise<string>;
  /** What calls have to carry beside that. */
  readonly headers?: (upstreamOrigin: string) => Readonly<Record<string, string>>;
}

const plain = {
  args: () => [],
  env: () => ({}),
  readyPath: "/healthz",
  bearer: () => Promise.resolve(OWN_KEY),
};

export const direct: Candidate = { ...plain, script: null };

export const bare: Candidate = {
  ...plain,
  script: fileURLToPath(new URL("./bare-forwarder.ts", import.meta.url)),
  args: ({ port, upstreamOrigin }) => [String(port), upstreamOrigin],
};

/** Limits of addresses in force, the ledger written; callers bring a key of their own. */
export const parley: Candidate = {
  ...plain,
  script: PARLEY_SCRIPT,
  env: ({ port, upstreamOrigin }) => parleyEnv(port, upstreamOrigin),
};

/** The same for the holder of a token with limits, prices and quotas of its own. */
export const parleyWithToken: Candidate = {
  ...parley,
  bearer: (origin) => issueToken(origin, MODEL),
};

/** Portkey's gateway, once it is installed: `script` is its server. */
export function portkey(script: string): Candidate {
  return {
    ...plain,
    script,
    args: ({ port }) => [`--port=${port}`, "--headless"],
    readyPath: "/",
    headers: (upstreamOrigin) => ({
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${upstreamOrigin}/v1`,
    }),
  };
}
