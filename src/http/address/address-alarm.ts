import type { ClientAddress } from "./client-address.ts";

/**
 * `shared_peer`: nearly all calls come through one peer whose forwarded headers are not trusted, so
 * all clients share one bucket. `untrusted_forwarded`: untrusted peers name other addresses, because
 * of spoofing or of proxies missing from the list.
 */
export interface AddressWarning {
  readonly code: "shared_peer" | "untrusted_forwarded";
  /** The peer that most of these calls come from; null without such a peer. */
  readonly peer: string | null;
  /** Share of these calls in all recent ones, 0 to 1. */
  readonly share: number;
  /** Number of these calls among the recent ones. */
  readonly calls: number;
}

export interface AddressAlarm {
  observe(client: ClientAddress): void;
  /** The warning raised now, or none. */
  warnings(): readonly AddressWarning[];
}

export interface AddressAlarmOptions {
  /** Called once per warning, and again only after it was cleared. */
  readonly onAlarm: (warning: AddressWarning) => void;
}

/** Fewer calls prove nothing: one person who tries the service makes as many. */
const RAISE_CALLS = 20;
/** The rest may be health checks and calls from the machine itself. */
const RAISE_SHARE = 0.95;
/** Lower than what raises a warning, so that traffic near the threshold does not raise it again and again. */
const CLEAR_CALLS = RAISE_CALLS / 2;
const CLEAR_SHARE = 0.8;
/** Counts are halved after this many more calls: "recent" means the last one to two thousand. */
const HALVING_CALLS = 1_000;

export function createAddressAlarm({ onAlarm }: AddressAlarmOptions): AddressAlarm {
  const recent = createRecentCalls();
  let raised: AddressWarning["code"] | null = null;

  const judge = () => {
    const found = verdict(recent, raised);
    if (found === raised) return;
    // a shared peer explains its calls: they must not raise the other warning next
    const explained = raised === "shared_peer";
    if (explained) recent.forgetIgnored();
    raised = explained ? null : found;
    if (raised !== null) onAlarm(describe(raised, recent));
  };
  return {
    observe({ forwarded, peer }) {
      const ignored = forwarded === "ignored";
      recent.add(ignored ? peer : null);
      if (ignored || raised !== null) judge();
    },
    warnings: () => (raised === null ? [] : [describe(raised, recent)]),
  };
}

function verdict(
  { calls, ignoredCalls, topPeerCalls }: RecentCalls,
  raised: AddressWarning["code"] | null,
): AddressWarning["code"] | null {
  const share = raised === "shared_peer" ? CLEAR_SHARE : RAISE_SHARE;
  if (calls >= RAISE_CALLS && topPeerCalls >= share * calls) return "shared_peer";
  const floor = raised === "untrusted_forwarded" ? CLEAR_CALLS : RAISE_CALLS;
  return ignoredCalls >= floor ? "untrusted_forwarded" : null;
}

function describe(code: AddressWarning["code"], recent: RecentCalls): AddressWarning {
  const { ignoredCalls, topPeer, topPeerCalls } = recent;
  const calls = code === "shared_peer" ? topPeerCalls : ignoredCalls;
  const peer = topPeerCalls * 2 > ignoredCalls ? topPeer : null;
  return { code, peer, share: calls / recent.calls, calls };
}

type RecentCalls = ReturnType<typeof createRecentCalls>;

/**
 * Constant memory: Boyer-Moore majority vote. The top peer's calls are counted from when it took the
 * lead.
 */
function createRecentCalls() {
  const nothingIgnored = {
    ignoredCalls: 0,
    topPeer: null as string | null,
    topPeerCalls: 0,
    votes: 0,
  };
  const recent = {
    calls: 0,
    ...nothingIgnored,
    /** `ignoredPeer`: the sender of forwarded headers that are not trusted, or null. */
    add(ignoredPeer: string | null) {
      if (recent.calls === 2 * HALVING_CALLS) {
        recent.calls >>= 1;
        recent.ignoredCalls >>= 1;
        recent.topPeerCalls >>= 1;
        recent.votes >>= 1;
      }
      recent.calls += 1;
      if (ignoredPeer !== null) vote(ignoredPeer);
    },
    forgetIgnored() {
      Object.assign(recent, nothingIgnored);
    },
  };
  return recent;

  function vote(peer: string) {
    recent.ignoredCalls += 1;
    if (recent.votes === 0 && recent.topPeer !== peer) {
      recent.topPeer = peer;
      recent.topPeerCalls = 0;
    }
    const same = recent.topPeer === peer;
    recent.votes += same ? 1 : -1;
    if (same) recent.topPeerCalls += 1;
  }
}
