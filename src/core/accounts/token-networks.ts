import type { NetworkStore, RaiseAlert } from "../alerts.ts";
import type { Clock } from "../ports.ts";
import type { Token } from "./accounts.ts";

/** Tokens that are remembered; with more, all begin again, which costs a query for each. */
const MAX_TOKENS = 10_000;
/** Networks that wait for the database. Further ones are counted when they are seen again. */
const MAX_WAITING = 1_000;
const DAY_MS = 86_400_000;

/** What this process has seen of a token on a day. */
interface Seen {
  readonly day: number;
  /** Digests; at most as many as decide. */
  readonly networks: Set<string>;
  /** The newest one as it came: most calls come from the network of the call before. */
  latest: string;
}

interface Waiting {
  readonly token: Pick<Token, "id" | "name">;
  readonly day: number;
  readonly digest: string;
}

export interface TokenNetworksOptions {
  /** Networks a day that a token may be seen from. */
  readonly limit: number;
  readonly store: NetworkStore;
  /** Keyed, so that it says nothing of the network. */
  readonly digest: (text: string) => string;
  readonly clock: Pick<Clock, "wallMs">;
  readonly alert: RaiseAlert;
  readonly onError: (error: unknown) => void;
}

/**
 * Raises an alert for a token that is seen from more networks on a day (UTC) than one holder has. All
 * instances count together: the first networks of each token are stored, as digests. Nothing is refused.
 */
export function createTokenNetworks(options: TokenNetworksOptions) {
  const { limit, store, clock, alert } = options;
  const tokens = new Map<string, Seen>();
  let waiting = 0;

  const seenOf = (id: string, day: number): Seen => {
    const known = tokens.get(id);
    if (known?.day === day) return known;
    if (tokens.size >= MAX_TOKENS) tokens.clear();
    const made = { day, networks: new Set<string>(), latest: "" };
    tokens.set(id, made);
    return made;
  };
  const count = async ({ token, day, digest }: Waiting): Promise<void> => {
    const networks = await store.add(token.id, day, digest, limit + 1);
    const { id, name } = token;
    if (networks > limit) alert({ type: "token.shared", token: { id, name }, networks });
  };

  /** A call of the token came from this network. Costs a look-up, unless the network is new. */
  return function see(token: Token, network: string): void {
    const day = Math.floor(clock.wallMs() / DAY_MS);
    const seen = seenOf(token.id, day);
    const { networks } = seen;
    if (seen.latest === network || networks.size > limit || waiting >= MAX_WAITING) return;
    seen.latest = network;
    const digest = options.digest(`network ${token.id} ${network}`);
    if (networks.has(digest)) return;
    networks.add(digest);
    waiting += 1;
    void count({ token, day, digest })
      .catch((error: unknown) => {
        // it is counted when it is seen again
        networks.delete(digest);
        seen.latest = "";
        options.onError(error);
      })
      .finally(() => {
        waiting -= 1;
      });
  };
}
