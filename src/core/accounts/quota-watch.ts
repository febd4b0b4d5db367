import { type Alert, type QuotaMark, quotaMarks, type RaiseAlert } from "../alerts.ts";
import type { Clock } from "../ports.ts";
import type { Ledger, Token } from "./accounts.ts";
import type { TokenGroup } from "./groups.ts";
import { formatMoney } from "./money.ts";
import { hasQuota, type QuotaState, type Quotas, quotaStates } from "./quota.ts";
import type { Refusal } from "./reservation.ts";

/** Holders that wait to be looked at, and marks that are remembered. */
const MAX_HOLDERS = 10_000;
/** Looked at in one run; the others wait for the next one. */
const MAX_LOOKED_AT = 50;

/** A token or a group. */
interface Holder extends Pick<TokenGroup, "id" | "name" | "quotas"> {
  readonly isGroup: boolean;
  /** Quotas that have refused a call, because less than it needs is left: see `quotaName`. */
  readonly refusing: readonly string[];
}

/** Watches how much of their quotas tokens and groups have used. No call waits for it. */
export interface QuotaWatch {
  /** A call has been settled. */
  spent(token: Token): void;
  /** A call has been refused for now by a quota of the token, or of its group. */
  refused(token: Token, refusal: Pick<Refusal, "group" | "refusedBy">): void;
  /** Reads what those have used that had calls since, and raises what is new. */
  look(): Promise<void>;
}

export interface QuotaWatchOptions {
  readonly ledger: Pick<Ledger, "used" | "reserved">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly alert: RaiseAlert;
}

export function createQuotaWatch({ ledger, clock, alert }: QuotaWatchOptions): QuotaWatch {
  const waiting = new Map<string, Holder>();
  /** The highest mark of each quota and period that this process has raised. */
  const raised = new Map<string, QuotaMark>();

  const add = (holder: Holder) => {
    const known = waiting.get(holder.id);
    if (known === undefined && waiting.size >= MAX_HOLDERS) return;
    const refusing = [...new Set([...holder.refusing, ...(known?.refusing ?? [])])];
    waiting.set(holder.id, { ...holder, refusing });
  };
  const raise = (holder: Holder, state: QuotaState, mark: QuotaMark) => {
    const key = `${holder.id} ${quotaName(state)} ${state.resetsAt}`;
    if ((raised.get(key) ?? 0) >= mark) return;
    if (raised.size >= MAX_HOLDERS) raised.clear();
    raised.set(key, mark);
    alert(alertOf(holder, state, mark));
  };
  const lookAt = async (holder: Holder): Promise<void> => {
    const [use, reserved] = await Promise.all([ledger.used(holder.id), ledger.reserved(holder.id)]);
    for (const state of quotaStates(holder.quotas, use, clock.wallMs())) {
      const spent = state.used - BigInt(reserved[state.period][state.kind]);
      const mark = markOf(spent, state.limit, holder.refusing.includes(quotaName(state)));
      if (mark !== null) raise(holder, { ...state, used: spent }, mark);
    }
  };

  return {
    spent(token) {
      const { group } = token;
      if (hasQuota(token.quotas)) add(asHolder(token, false, []));
      if (group !== null && hasQuota(group.quotas)) add(asHolder(group, true, []));
    },
    refused(token, { group, refusedBy }) {
      add(asHolder(group ?? token, group !== null, [quotaName(refusedBy)]));
    },
    async look() {
      const some = [...waiting.values()].slice(0, MAX_LOOKED_AT);
      for (const holder of some) {
        waiting.delete(holder.id);
        await lookAt(holder).catch((error: unknown) => {
          add(holder);
          throw error;
        });
      }
    },
  };
}

function asHolder(
  { id, name, quotas }: { readonly id: string; readonly name: string; readonly quotas: Quotas },
  isGroup: boolean,
  refusing: Holder["refusing"],
): Holder {
  return { id, name, quotas, isGroup, refusing };
}

function quotaName({ kind, period }: Pick<QuotaState, "kind" | "period">): string {
  return `${kind} ${period}`;
}

/**
 * The highest mark that is passed. What calls reserve keeps the last part of a quota from being used:
 * one that is nearly used up and refuses calls is used up for its holder.
 */
function markOf(spent: bigint, limit: bigint, hasRefused: boolean): QuotaMark | null {
  const passed = quotaMarks.findLast((mark) => spent * 100n >= limit * BigInt(mark)) ?? null;
  return passed === 80 && hasRefused ? 100 : passed;
}

function alertOf({ id, name, isGroup }: Holder, state: QuotaState, percent: QuotaMark): Alert {
  const { kind, period, limit, used, resetsAt } = state;
  const amount = (value: bigint) => (kind === "money" ? formatMoney(value) : Number(value));
  const facts = {
    quota: kind,
    period,
    percent,
    limit: amount(limit),
    used: amount(used),
    resetsAt,
  };
  const holder = { id, name };
  return isGroup
    ? { type: "group.quota", group: holder, ...facts }
    : { type: "token.quota", token: holder, ...facts };
}
