import type { ClientAddress } from "./client-address.ts";

/**
 * `shared_peer`: nearly all calls come through one peer whose forwarded headers are not believed, so
 * everybody shares one bucket. `untrusted_forwarded`: peers we do not trust name other addresses:
 * spoofing, or proxies missing from the list.
 */
export interface AddressWarning {
  readonly code: "shared_peer" | "untrusted_forwarded";
  /** The peer that most of these calls come from; null when there is no such peer. */
  readonly peer: string | null;
  /** These calls among all recent ones, 0 to 1. */
  readonly share: number;
  /** How many recent calls these are. */
  readonly calls: number;
}

export interface AddressAlarm {
  observe(client: ClientAddress): void;
  /** What is wrong at this moment: one warning or none. */
  warnings(): readonly AddressWarning[];
}

export interface AddressAlarmOptions {
  /** Called once for each warning raised, and again only after it was cleared. */
  readonly onAlarm: (warning: AddressWarning) => void;
}

/** Fewer calls prove nothing: a person trying the service out makes as many. */
const RAISE_CALLS = 20;
/** The rest are health checks and calls made on the machine itself. */
const RAISE_SHARE = 0.95;
/** Half a step lower than what raises, so traffic at the edge does not ring again and again. */
const CLEAR_CALLS = RAISE_CALLS / 2;
const CLEAR_SHARE = 0.8;
/** Counts are halved each time so many calls were added: "recent" is the last one to two thousand. */
const HALVING_CALLS = 1_000;

export function createAddressAlarm({ onAlarm }: AddressAlarmOptions): AddressAlarm {
  const recent = createRecentCalls();
  let raised: AddressWarning["code"] | null = null;

  return {
    observe(client) {
      const ignored = client.forwarded === "ignored";
      recent.add(ignored ? client.peer : null);
      if (ignored || raised !== null) judge();
    },
    warnings: () => (raised === null ? [] : [describe(raised, recent)]),
  };

  function judge() {
    const found = verdict(recent, raised);
    if (found === raised) return;
    // The calls of a shared peer are explained and over: they must not ring as spoofing next.
    const explained = raised === "shared_peer";
    if (explained) recent.forgetIgnored();
    raised = explained ? null : found;
    if (raised !== null) onAlarm(describe(raised, recent));
  }
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
  const { calls, ignoredCalls, topPeer, topPeerCalls } = recent;
  const counted = code === "shared_peer" ? topPeerCalls : ignoredCalls;
  const peer = topPeerCalls * 2 > ignoredCalls ? topPeer : null;
  return { code, peer, share: counted / calls, calls: counted };
}

interface RecentCalls {
  readonly calls: number;
  readonly ignoredCalls: number;
  readonly topPeer: string | null;
  readonly topPeerCalls: number;
  /** `ignoredPeer`: who sent headers that were not believed, null when nobody did. */
  add(ignoredPeer: string | null): void;
  forgetIgnored(): void;
}

/**
 * Five fields however many peers there are: Boyer and Moore's vote finds the peer that sends most of the
 * ignored headers, if one does, and its calls are counted from when it leads.
 */
function createRecentCalls(): RecentCalls {
  const recent = {
    calls: 0,
    ignoredCalls: 0,
    topPeer: null as string | null,
    topPeerCalls: 0,
    votes: 0,
    add(ignoredPeer: string | null) {
      if (recent.calls === 2 * HALVING_CALLS) halve();
      recent.calls += 1;
      if (ignoredPeer !== null) vote(ignoredPeer);
    },
    forgetIgnored() {
      recent.ignoredCalls = 0;
      recent.topPeer = null;
      recent.topPeerCalls = 0;
      recent.votes = 0;
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

  function halve() {
    recent.calls >>= 1;
    recent.ignoredCalls >>= 1;
    recent.topPeerCalls >>= 1;
    recent.votes >>= 1;
  }
}
