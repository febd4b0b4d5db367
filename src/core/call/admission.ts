import type {
  KeyDigest,
  Ledger,
  LedgerEntry,
  Payer,
  PriceBook,
  Token,
} from "../accounts/accounts.ts";
import type { BackgroundCalls } from "../accounts/background.ts";
import { cost, type Price } from "../accounts/price.ts";
import { quotaExceeded } from "../accounts/quota-exceeded.ts";
import type { QuotaWatch } from "../accounts/quota-watch.ts";
import type { Reservation } from "../accounts/reservation.ts";
import { fieldError, storageUnavailable } from "../common-errors.ts";
import type { CallRecord } from "../ports.ts";
import type { RelayAccount } from "../upstream-ports.ts";
import { canBeAsked } from "./background-state.ts";
import type { Principal } from "./call.ts";
import { type CallPrices, callPrices, dearest, priceOfAnswer, UNPRICED } from "./call-prices.ts";
import { UNKNOWN, type Used, usedBy } from "./estimate.ts";
import type { ReasoningModels } from "./reasoning.ts";
import { type ExpectedTokens, type ReservedTokens, reservedTokens } from "./reserved-tokens.ts";
import type { Target } from "./targets.ts";
import { holdLimits, type TokenHold, type TokenLimits } from "./token-hold.ts";
import { chargedUnits, coversCall, usedUnits } from "./used-units.ts";

/** What admission needs to know of a call. */
export interface AdmissionRequest extends Pick<LedgerEntry, "requestId" | "dialect"> {
  readonly principal: Principal;
  /** Empty if the client named none. */
  readonly model: LedgerEntry["model"];
  /** Where it may be asked. */
  readonly targets: readonly Pick<Target, "model">[];
  /** Reserved against the quotas in tokens and money. */
  readonly expected: ExpectedTokens;
  /** What must be granted as well, asked for at the same time. Rejects with why the call is refused. */
  readonly beside?: Promise<void> | undefined;
}

/** Grants one call; settled exactly once, with how the call ended. */
export interface Permit {
  /** What the call is taken to have used: as reported, else as estimated from what was seen. */
  used(account: RelayAccount | undefined, upstreamModel?: string | null): Used;
  /** Resolves when the ledger row is durable or waits for the database, or the call that will have one. */
  settle(record: CallRecord, account?: RelayAccount): Promise<void>;
}

export interface Admission {
  /** Throws the reason if the call is refused; a refused call has taken nothing. */
  admit(request: AdmissionRequest): Promise<Permit>;
}

export interface AdmissionOptions extends TokenLimits {
  readonly ledger: Ledger;
  readonly background: Pick<BackgroundCalls, "keep">;
  readonly prices: PriceBook;
  readonly reasoning: ReasoningModels;
  /** A keyed hash of a caller's own key: tells callers apart and can't be reversed. */
  readonly digestKey: (key: string) => KeyDigest;
  /** Called when the upstream has answered a call with this key of a caller's. */
  readonly onAccepted: (digest: KeyDigest) => void;
  /** Most tokens that are reserved for one answer, whatever it may have. */
  readonly maxReservedAnswer: number;
  /** Looks at quotas of tokens after their calls; null where nobody is to be told. */
  readonly quotaWatch?: Pick<QuotaWatch, "spent" | "refused"> | null;
  /** Called with each call of a token and the network it comes from. */
  readonly onToken?: ((token: Token, network: string) => void) | null;
  /** Written into every row: "cancel" or "drain:30". */
  readonly onDisconnect: LedgerEntry["onDisconnect"];
}

/**
 * Checks the allowed models, the price, the windows and the quotas, in that order; writes the ledger
 * row when settled.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { ledger, background, prices, clock, digestKey, reasoning } = options;
  return {
    async admit(request) {
      const { principal, model } = request;
      const reserved = reservedTokens(request.expected, options.maxReservedAnswer);
      const at = clock.wallMs();
      const priced = await callPrices(prices, request, at).catch((error: unknown) => {
        // a caller who isn't billed is served without the database; a row that can't be written is logged
        return principal.kind === "token" ? storageUnavailable(error) : UNPRICED;
      });
      let hold: TokenHold | null = null;
      if (principal.kind === "token") {
        const { token } = principal.found;
        options.onToken?.(token, principal.bucket);
        hold = await admitToken(options, { ...request, reserved, token, at }, priced);
      } else if (request.beside !== undefined) {
        await request.beside;
      }
      const payer = payerOf(principal, digestKey);
      return {
        used(account, upstreamModel = null) {
          const units = chargedUnits(priced.of(upstreamModel), request.expected.units);
          if (units !== null) return usedUnits(account, units);
          if (willBeKnown(principal, account)) return UNKNOWN;
          return usedBy(upstreamModel ?? model, account, reserved, reasoning);
        },
        async settle(record, account) {
          const isKnown = !willBeKnown(principal, account);
          const reservation = settledHold(hold, isKnown, record);
          const answered = await priceOfAnswer(prices, record, { priced, request, at });
          const entry = ledgerEntryOf(record, payer, answered, at, options.onDisconnect);
          if (payer.keyDigest !== null && isAnswered(record)) options.onAccepted(payer.keyDigest);
          if (isKnown) return settleKnown(options, entry, hold);
          // without the database the row waits, which a background answer can't
          if (await background.keep({ entry, reservation, reserved }).catch(() => false)) return;
          const used = usedBy(record.upstreamModel ?? model, account, reserved, reasoning);
          await ledger.settle({ ...entry, ...used, cost: cost(used.usage, answered) }, reservation);
        },
      };
    },
  };
}

function settleKnown(
  { ledger, quotaWatch }: AdmissionOptions,
  entry: LedgerEntry,
  hold: TokenHold | null,
): Promise<void> {
  const reservation = hold?.reservation ?? null;
  const written = ledger.settle(entry, reservation);
  if (quotaWatch == null || hold === null || reservation === null) return written;
  return written.then(() => quotaWatch.spent(hold.token));
}

/** Ends what the limits of a token hold; returns what its quotas hold. */
function settledHold(hold: TokenHold | null, isKnown: boolean, { usage }: CallRecord) {
  if (hold === null) return null;
  void hold.settle(isKnown ? (usage?.totalTokens ?? 0) : null);
  return hold.reservation;
}

interface TokenCall extends AdmissionRequest {
  readonly reserved: ReservedTokens;
  readonly token: Token;
  readonly priced: CallPrices;
  readonly at: number;
}

/** Takes from the token's limits and, unless something beside refuses the call, from its quotas. */
async function admitToken(
  options: AdmissionOptions,
  call: Omit<TokenCall, "priced">,
  priced: CallPrices,
): Promise<TokenHold> {
  const { token, model, beside, reserved } = call;
  refuseForbiddenModel(token.models, model);
  if (priced.all.some((price) => price === null || !coversCall(price, call.expected.units))) {
    throw fieldError("model_not_priced", "model", { model });
  }
  const held = holdLimits(options, token, reserved.question + reserved.answers);
  const hold = held instanceof Promise ? await held : held;
  try {
    if (beside !== undefined) await beside;
    hold.reservation = await reserve(options, { ...call, priced });
    return hold;
  } catch (refusal) {
    await hold.giveBack();
    throw refusal;
  }
}

/** Reserves the call's part of the token's quotas. Throws `quota_exceeded` for the first full one. */
async function reserve(
  { ledger, onDisconnect, quotaWatch }: AdmissionOptions,
  { requestId, dialect, model, expected, reserved, token, priced, at }: TokenCall,
): Promise<Reservation | null> {
  const { tokens, money } = dearest(priced, reserved, expected.units);
  const call = { requestId, at, token, dialect, model, onDisconnect, tokens };
  const result = await ledger.reserve({ ...call, money }).catch(storageUnavailable);
  if (result.admitted) return result.reservation;
  if (result.retryAfterMs !== null) quotaWatch?.refused(token, result);
  throw quotaExceeded(result);
}

/** Whether the upstream can be asked later. Nothing is kept of a caller's own key, so theirs can't. */
function willBeKnown({ kind }: Principal, account: RelayAccount | undefined): boolean {
  if (account === undefined || !account.pending || account.usage !== null) return false;
  return kind !== "own-key" && canBeAsked(account.upstreamId);
}

/** Exported for tests and benchmarks, so that a new column of the ledger needs no edit there. */
export function ledgerEntryOf(
  record: CallRecord,
  payer: Payer,
  price: Price | null,
  at: number,
  onDisconnect: LedgerEntry["onDisconnect"],
): LedgerEntry {
  return {
    ...record,
    at,
    payer,
    price,
    cost: cost(record.usage, price, record.units),
    onDisconnect,
  };
}

function refuseForbiddenModel(models: readonly string[] | null, model: string): void {
  if (model === "") {
    throw fieldError("field_missing", "model");
  }
  if (models === null || models.includes(model)) return;
  throw fieldError("model_forbidden", "model", { model });
}

function isAnswered({ outcome }: CallRecord): boolean {
  return outcome === "completed" || outcome === "interrupted";
}

function payerOf(principal: Principal, digestKey: (key: string) => KeyDigest): Payer {
  const { kind } = principal;
  if (kind === "token") return { kind, tokenId: principal.found.token.id, keyDigest: null };
  const keyDigest = kind === "own-key" ? digestKey(principal.key) : null;
  return { kind, tokenId: null, keyDigest };
}
