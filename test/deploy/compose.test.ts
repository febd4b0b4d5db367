/** compose.scale.yml as it is written; .ci/run starts it. */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Setting } from "../../src/config/kinds.ts";
import { settings } from "../../src/config/settings.ts";
import { STORE_RIGHTS } from "../../src/limits/shared/rights.ts";
import { fileText } from "./manifests.ts";

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly object[];
  readonly command?: readonly string[];
  readonly image?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly stop_grace_period?: string;
  readonly network_mode?: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

/** `!reset` and `!override` say how a file of Compose is merged into another. */
const tags = ["!reset", "!override"].map((tag) => ({
  tag,
  collection: "seq" as const,
  resolve: (items: { toJSON(): unknown }) => items,
}));
const read = (path: string) =>
  parse(fileText(path), { customTags: tags, merge: true }) as ComposeFile;

const scaled = read("compose.scale.yml");
const single = read("docker-compose.yml");
const services = Object.entries(scaled.services);
const own = services.filter(([name]) => name !== "web");
const web = scaled.services.web as Service;
/** The value of `${NAME:-value}`. */
const fallback = (text = "") => /:-([^}]*)\}/.exec(text)?.[1] ?? text;

describe("compose.scale.yml", () => {
  test("gives the copies settings that Parley reads", () => {
    const known = Object.entries<Setting>(settings).flatMap(([name, { secret }]) =>
      secret === true ? [name, `${name}_FILE`] : [name],
    );
    expect(Object.keys(web.environment ?? {}).filter((name) => !known.includes(name))).toEqual([]);
  });

  test("gives them no secret but in files of their volume", () => {
    const secrets = Object.entries(web.environment ?? {}).filter(([name]) => {
      const setting = Object.entries<Setting>(settings).find(([one]) => one === name)?.[1];
      return setting?.secret === true;
    });
    expect(secrets.length).toBeGreaterThan(0);
    for (const [name, value] of secrets) expect(value, name).toBe("");
  });

  test("opens a port on the machine for the proxy alone", () => {
    const open = services.filter(([, { ports = [] }]) => ports.length > 0);
    expect(open.map(([name]) => name)).toEqual(["proxy"]);
  });

  test.each(own)("%s has no more rights than it needs", (name, service) => {
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(["ALL"]);
    expect(service.security_opt).toEqual(["no-new-privileges:true"]);
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.pids_limit).toBeGreaterThan(0);
    if (name === "secrets") expect(service.network_mode).toBe("none");
  });

  test("only the copies reach the database and the store, which have no way out", () => {
    expect(scaled.networks.data?.internal).toBe(true);
    const there = services.filter(([, { networks = [] }]) => networks.includes("data"));
    expect(there.map(([name]) => name).toSorted()).toEqual(["database", "store", "web"]);
    expect(scaled.services.database?.networks).toEqual(["data"]);
    expect(scaled.services.store?.networks).toEqual(["data"]);
  });

  test("each service mounts its own secrets, to read", () => {
    for (const [name, { volumes = [] }] of services.filter(([one]) => one !== "secrets")) {
      const secret = volumes.filter((volume) => /^\w+-secrets:/.test(volume));
      for (const volume of secret) expect(volume).toMatch(new RegExp(`^${name}-secrets:.*:ro$`));
    }
  });

  test("the copies have the time to end that their settings allow", () => {
    const delay = fallback(web.environment?.DRAIN_DELAY_SECONDS);
    const shutdown = fallback(single.services.web?.environment?.SHUTDOWN_SECONDS);
    const grace = /^(\d+)s$/.exec(fallback(web.stop_grace_period))?.[1];
    expect(Number(delay)).toBeGreaterThan(0);
    expect(Number(grace)).toBeGreaterThan(Number(delay) + Number(shutdown) + 2);
  });

  test("files that it mounts are there", () => {
    const mounted = services.flatMap(([, { volumes = [] }]) =>
      volumes
        .filter((volume) => volume.startsWith("./"))
        .map((volume) => volume.split(":")[0] ?? ""),
    );
    expect(mounted.length).toBeGreaterThan(2);
    for (const path of mounted) expect(fileText(path)).not.toBe("");
  });
});

test("the user of the store has the rights that Parley needs, and no other", () => {
  expect(scaled.services.store?.environment?.RIGHTS).toBe(`resetkeys ${STORE_RIGHTS}`);
});

test("the page has every variable that is no setting, with its default", () => {
  const found = fileText("compose.scale.yml").matchAll(/\$\{(\w+):-([^}]*)\}/g);
  const page = fileText("docs/en/scaling.md");
  const variables = [...found].filter(
    ([, name = "", value]) => value !== "" && !(name in settings),
  );
  expect(variables.length).toBeGreaterThan(3);
  for (const [, name, value] of variables) {
    expect(page).toMatch(new RegExp(`\\| \`${name}\` \\| .* \\| \`?${value}\`? \\|`));
  }
});
