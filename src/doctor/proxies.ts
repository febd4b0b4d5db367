import type { Answer } from "./public-call.ts";

export const proxyKinds = ["nginx", "caddy", "traefik", "cloudflare"] as const;
export type ProxyKind = (typeof proxyKinds)[number];

/** What a proxy writes into responses, and into requests. */
interface Signs {
  readonly answered: (headers: Answer["headers"]) => boolean;
  /** All of these arrived. */
  readonly arrived: readonly string[];
}

const signs: Readonly<Record<ProxyKind, Signs>> = {
  nginx: { answered: ({ server }) => /nginx|openresty/i.test(String(server)), arrived: [] },
  caddy: {
    answered: ({ server, via }) => /caddy/i.test(`${server ?? ""} ${via ?? ""}`),
    arrived: [],
  },
  // only Traefik names itself to what is behind it, and not to clients
  traefik: { answered: () => false, arrived: ["x-forwarded-server", "x-real-ip"] },
  cloudflare: { answered: (headers) => "cf-ray" in headers, arrived: ["cf-connecting-ip"] },
};

/** The proxies in between, as their headers tell; those that say nothing are not found. */
export function proxiesIn(
  answered: Answer["headers"],
  arrived: readonly string[],
): readonly ProxyKind[] {
  return proxyKinds.filter((kind) => {
    const { answered: isSigned, arrived: names } = signs[kind];
    return isSigned(answered) || (names.length > 0 && names.every((one) => arrived.includes(one)));
  });
}

const ADDED = ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-proto"];

/** Whether anything is in between, known or not. */
export function isProxied(answered: Answer["headers"], arrived: readonly string[]): boolean {
  return proxiesIn(answered, arrived).length > 0 || ADDED.some((name) => arrived.includes(name));
}
