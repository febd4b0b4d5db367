/** What the command knows beside the public address: the settings it reads, and what it can ask. */
export interface Local {
  readonly route: string;
  readonly maxBodyBytes: number;
  readonly wsPort: number | null;
  readonly grpcPort: number | null;
  readonly grpcHasTls: boolean;
  readonly trustsEverybody: boolean;
  /** Anybody may spend the operator's key, and no limit is set. */
  readonly isKeyOpen: boolean;
  /** Anybody may read and write all chats. */
  readonly areChatsOpen: boolean;
  /** Names of settings whose secrets can be guessed. */
  readonly weakSecrets: readonly string[];
  /** Headers that should make a request the operator's, the better ones first; none: nothing is known here. */
  operatorHeaders(): Promise<readonly OperatorHeaders[]>;
  /** Asks each upstream with each of its keys, for what is free. */
  probeUpstreams(): Promise<readonly ProbedKey[]>;
  /** Null: there is no database here. */
  storage(): Promise<StorageSeen | null>;
}

export type OperatorHeaders = Readonly<Record<string, string>>;

export interface ProbedKey {
  readonly upstream: string;
  /** Its number, from 1: never the key. */
  readonly key: number;
  /** Null: nothing there is free. */
  readonly ok: boolean | null;
  readonly reason: string;
}

export interface StorageSeen {
  readonly kind: "sqlite" | "postgres";
  /** Why it takes no writes; null if it does. */
  readonly problem: string | null;
  /** Of SQLite's folder; null elsewhere. */
  readonly freeBytes: number | null;
  readonly walBytes: number | null;
  /** True if the folder belongs to another user than the one that runs. */
  readonly isForeign: boolean;
  /** Of the newest backup in the folder; null if there is none. */
  readonly backupDays: number | null;
  /** How old the installation is. */
  readonly ageDays: number | null;
}
