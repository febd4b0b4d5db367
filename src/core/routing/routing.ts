/** How an upstream wants to be spoken to. Azure speaks OpenAI's language, with headers of its own. */
export type UpstreamKind = "openai" | "azure" | "anthropic";

export const upstreamKinds = ["openai", "azure", "anthropic"] as const satisfies UpstreamKind[];

/** The upstream of the settings; it is not kept in the database. */
export const DEFAULT_UPSTREAM = "default";

/** An upstream that the operator keeps in the database. Holds no secret. */
export interface UpstreamSettings {
  /** `[a-z0-9-]`, at most 64 characters, never `default`. */
  readonly name: string;
  readonly kind: UpstreamKind;
  /** Base URL with its query, or a complete URL, as OPENAI_URL; no user and password. */
  readonly url: string;
  /** The models that it lists: asked here without a route. */
  readonly models: readonly string[];
  /** Most open calls over this copy and all others; null: without a bound. */
  readonly concurrency: number | null;
  /** Null: as the settings say. Seconds. */
  readonly answerSeconds: number | null;
  readonly firstTokenSeconds: number | null;
}

/** What is sealed of it. */
export interface UpstreamSecrets {
  /** Used in turn. Empty: it wants none. */
  readonly keys: readonly string[];
  /** Sent with every request, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** `http`, `https` or `socks5`, perhaps with a password. */
  readonly proxyUrl: string | null;
}

/** An upstream as operators see it. */
export interface ShownUpstream extends UpstreamSettings {
  readonly keyCount: number;
  readonly headerNames: readonly string[];
  /** Without user and password. */
  readonly proxy: string | null;
  readonly createdAt: number;
}

export interface RouteTarget {
  readonly upstream: string;
  /** As the upstream names it. */
  readonly model: string;
  /** 1 to 1,000. */
  readonly weight: number;
}

/** A model's name and who answers for it. */
export interface ModelRoute {
  readonly model: string;
  /** Weighted alternatives; each stage is the next resort of the one before. None is empty. */
  readonly stages: readonly (readonly RouteTarget[])[];
}

/** All of it at one moment, secrets opened: for the process that makes the calls. */
export interface RoutingTable {
  /** Grows with every change. */
  readonly version: number;
  readonly upstreams: readonly (UpstreamSettings & UpstreamSecrets)[];
  /** Names of upstreams that are left out: no SECRET_KEY opens their secrets. */
  readonly unreadable: readonly string[];
  readonly routes: readonly ModelRoute[];
}

export type UpstreamChanges = Partial<Omit<UpstreamSettings, "name"> & UpstreamSecrets>;

export interface RoutingStore {
  /** The number that every change of an upstream or a route makes larger. 0 before the first. */
  version(): Promise<number>;
  read(): Promise<RoutingTable>;
  upstreams(): Promise<readonly ShownUpstream[]>;
  /** Throws `upstream_name_taken`. */
  addUpstream(upstream: UpstreamSettings & UpstreamSecrets): Promise<ShownUpstream>;
  /** What is left out stays. Null if there is none. Throws `upstream_unreadable`. */
  changeUpstream(name: string, changes: UpstreamChanges): Promise<ShownUpstream | null>;
  /** False if there is none. Throws `upstream_in_use` if a route names it. */
  removeUpstream(name: string): Promise<boolean>;
  /** By name. */
  routes(): Promise<readonly ModelRoute[]>;
  /** Adds or replaces. Throws `field_unknown_upstream` if it names an upstream that there is not. */
  setRoute(route: ModelRoute): Promise<void>;
  removeRoute(model: string): Promise<boolean>;
  /** Seals all secrets with the newest SECRET_KEY again; see TokenStore. */
  reseal(): Promise<{ readonly upstreams: number; readonly unreadable: readonly string[] }>;
}
