import type { Token } from "./accounts/accounts.ts";
import type { TokenGroup } from "./accounts/groups.ts";
import type { QuotaKind, QuotaPeriod } from "./accounts/quota.ts";
import type { ErrorCode } from "./errors.ts";

/** The parts of a quota at which an alert is raised, in percent. */
export const quotaMarks = [50, 80, 100] as const;
export type QuotaMark = (typeof quotaMarks)[number];

interface QuotaFacts {
  readonly quota: QuotaKind;
  readonly period: QuotaPeriod;
  readonly percent: QuotaMark;
  /** Counts, or US dollars as exact decimals. */
  readonly limit: number | string;
  readonly used: number | string;
  /** When the period ends. Milliseconds since 1970. */
  readonly resetsAt: number;
}

interface TargetFacts {
  readonly upstream: string;
  /** As the upstream names it; null: as clients do. */
  readonly model: string | null;
}

type Named = Pick<Token, "id" | "name">;

/**
 * What an operator is told of. Names and ids only: never a secret, a key or content. Which of them are
 * one and the same is decided in `alerts/subjects.ts`.
 */
export type Alert =
  | (QuotaFacts & { readonly type: "token.quota"; readonly token: Named })
  | (QuotaFacts & { readonly type: "group.quota"; readonly group: Pick<TokenGroup, "id" | "name"> })
  | {
      readonly type: "key.cooldown";
      readonly upstream: string;
      /** Of the key in the list of the upstream's keys, from 1. */
      readonly key: number;
      readonly reason: "limited" | "refused";
      readonly seconds: number;
    }
  | (TargetFacts & {
      readonly type: "upstream.open";
      /** The code of the last error. */
      readonly reason: ErrorCode;
    })
  | (TargetFacts & { readonly type: "upstream.closed" })
  | {
      readonly type: "token.shared";
      readonly token: Named;
      /** Networks that the token was seen from on this day (UTC): as many, or more. */
      readonly networks: number;
    };

/** Tells the operator. Never waits and never throws: what can't be told is logged. */
export type RaiseAlert = (alert: Alert) => void;

/** An alert as an operator reads it later. */
export interface ToldAlert {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: string;
  /** The name of the token, group or upstream. */
  readonly subject: string;
  /** JSON. */
  readonly facts: string;
}

/** An alert as it waits to be delivered. */
export interface KeptAlert {
  /** The same for an alert that is delivered again. */
  readonly id: string;
  /** What it is about: of alerts with one subject only those with a higher mark are told. */
  readonly subject: string;
  readonly mark: number;
  /** When the subject ends, and another may be told. Milliseconds since 1970. */
  readonly endsAt: number;
  /** JSON. */
  readonly body: string;
  readonly told?: Omit<ToldAlert, "id">;
}

/** An alert that is to be delivered now. */
export interface DueAlert extends Pick<KeptAlert, "id" | "subject" | "body"> {
  /** How often it was tried before. */
  readonly tries: number;
}

/** Alerts of all instances, each told once; they survive a restart. */
export interface AlertStore {
  /** "known": it was told before. "full": too many wait to be delivered. */
  keep(alert: KeptAlert, isDelivered: boolean): Promise<"new" | "known" | "full">;
  /** Alerts that are due, and that no other process gets for a while. */
  claim(most: number): Promise<readonly DueAlert[]>;
  /** Not due before this moment (milliseconds since 1970); null: it is over. */
  postpone(alert: DueAlert, until: number | null): Promise<void>;
}

/** Networks that tokens were seen from, by keyed digests. */
export interface NetworkStore {
  /** Counts the network among those of the day, and returns how many there are; at most `most`. */
  add(token: Named["id"], day: number, digest: string, most: number): Promise<number>;
}
