import type { TextParams } from "../locales.ts";
import type { ProxyKind } from "./proxies.ts";

/** Lines for a proxy's configuration. `{size}` and the like are values of the finding. */
type Lines = Partial<Readonly<Record<ProxyKind, string>>>;

const FORWARD: Lines = {
  nginx: "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
  caddy: "reverse_proxy 127.0.0.1:5000  # without: header_up X-Forwarded-For …",
  traefik: "--entryPoints.websecure.forwardedHeaders.insecure=false",
};
const UNBUFFERED: Lines = {
  nginx:
    "proxy_http_version 1.1;\nproxy_buffering off;\n# without: proxy_ignore_headers X-Accel-Buffering;\n# without: gzip_types text/event-stream;",
  // it passes on events at once, unless told otherwise
  caddy:
    "reverse_proxy 127.0.0.1:5000  # without: response_buffers, buffer_responses\n# without: encode, for text/event-stream",
  traefik: "traefik.http.services.parley.loadbalancer.responseforwarding.flushinterval=1ms",
  cloudflare: "Caching > Cache Rules: Bypass cache",
};
const PATIENT: Lines = {
  nginx: "proxy_read_timeout 900s;\nproxy_send_timeout 900s;",
  caddy: "reverse_proxy 127.0.0.1:5000 {\n    transport http {\n        read_timeout 15m\n    }\n}",
  traefik:
    "--entryPoints.websecure.transport.respondingTimeouts.writeTimeout=0\n--serversTransport.forwardingTimeouts.responseHeaderTimeout=0",
};

const LARGE_BODIES: Lines = {
  nginx: "client_max_body_size {megabytes}m;",
  caddy: "request_body {\n    max_size {megabytes}MB\n}",
  traefik: "traefik.http.middlewares.parley.buffering.maxRequestBodyBytes=0",
};

const lines: Readonly<Record<string, Lines>> = {
  stream_buffered: UNBUFFERED,
  stream_compressed: UNBUFFERED,
  stream_broken: PATIENT,
  silence_cut: PATIENT,
  silence_cut_late: PATIENT,
  hang_up_unseen: {
    nginx: "proxy_ignore_client_abort off;",
    // this keeps requests going that clients have left
    caddy: "reverse_proxy 127.0.0.1:5000  # without: flush_interval -1",
  },
  body_limited: LARGE_BODIES,
  body_foreign_error: LARGE_BODIES,
  body_lost: LARGE_BODIES,
  address_unsent: FORWARD,
  address_passed_on: FORWARD,
  headers_lost_there: {
    nginx: "proxy_pass_request_headers on;",
    caddy: "reverse_proxy 127.0.0.1:5000  # without: header_up -…",
  },
  headers_lost_back: {
    nginx: "# without: proxy_hide_header …;",
    caddy: "reverse_proxy 127.0.0.1:5000  # without: header_down -…",
  },
  websocket_refused: {
    nginx:
      "location = {path}/ask {\n    proxy_pass http://127.0.0.1:5000/ask;\n    proxy_http_version 1.1;\n    proxy_set_header Host $http_host;\n    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n    proxy_set_header Upgrade $http_upgrade;\n    proxy_set_header Connection upgrade;\n    proxy_read_timeout 900s;\n}",
    caddy: "reverse_proxy 127.0.0.1:5000  # without: header_up -Upgrade",
    cloudflare: "Network > WebSockets: On",
  },
  prefix_kept: {
    nginx: "location {path}/ {\n    proxy_pass http://127.0.0.1:5000/;\n}",
    caddy: "handle_path {path}/* {\n    reverse_proxy 127.0.0.1:5000\n}",
    traefik: "traefik.http.middlewares.parley.stripprefix.prefixes={path}",
  },
};

/** Lines of `.env`, which mend whatever the proxy is. */
const settings: Readonly<Record<string, string>> = {
  address_untrusted: "TRUSTED_PROXIES={peer}",
  address_all_trusted: "TRUSTED_PROXIES=loopback, private",
  safety_key_open: "DAY_LIMIT=100",
  copies_apart: "REDIS_URL=redis://cache:6379/0",
};

/** The exact lines that mend it, each behind the name of what it is for. */
export function mendLines(
  key: string,
  params: TextParams,
  proxies: readonly ProxyKind[],
): readonly { readonly where: ProxyKind | ".env"; readonly text: string }[] {
  const filled = (text: string) =>
    text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
  const setting = settings[key];
  return [
    ...(setting === undefined ? [] : [{ where: ".env", text: filled(setting) } as const]),
    ...proxies.flatMap((where) => {
      const text = lines[key]?.[where];
      return text === undefined ? [] : [{ where, text: filled(text) }];
    }),
  ];
}
