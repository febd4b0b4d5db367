import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Setting } from "../../src/config/kinds.ts";
import { readConfig } from "../../src/config/read.ts";
import { settings } from "../../src/config/settings.ts";
import { postJson } from "../support/http.ts";
import { startScene } from "../support/scene.ts";
import {
  faultsOf,
  filesIn,
  listedFiles,
  type Manifest,
  readSettings,
  readYaml,
} from "./manifests.ts";

const BASE = "deploy/kubernetes/base";
const EXAMPLE = "deploy/kubernetes/example";

interface DeploymentFile extends Manifest {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly enableServiceLinks: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly image: string;
            readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
          } & Record<"startupProbe" | "readinessProbe" | "livenessProbe", Probe>,
        ];
      };
    };
  };
}

interface AutoscalerFile extends Manifest {
  readonly spec: {
    readonly metrics: readonly { readonly pods?: { readonly metric: { readonly name: string } } }[];
  };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

const deployment = readYaml<DeploymentFile>(`${BASE}/deployment.yaml`);
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const ports = Object.fromEntries(container.ports.map((port) => [port.name, port.containerPort]));
const baseSettings = readSettings(`${BASE}/settings.env`);
const exampleSettings = { ...baseSettings, ...readSettings(`${EXAMPLE}/settings.env`) };

describe.each([BASE, EXAMPLE])("%s", (folder) => {
  const files = filesIn(folder).map((name) => join(folder, name));
  const objects = files.filter((path) => /(?<!kustomization)\.yaml$/.test(path));

  test.each(objects)("%s is an object as Kubernetes publishes it", (path) => {
    expect(faultsOf(readYaml<Manifest>(path))).toEqual([]);
  });

  test("its kustomization names every file", () => {
    const listed = listedFiles(`${folder}/kustomization.yaml`);
    const own = listed.filter((path) => dirname(path) === folder);
    expect([...own, `${folder}/kustomization.yaml`].toSorted()).toEqual(files);
  });
});

describe("faults of an object", () => {
  test("a field that Kubernetes does not know is found, at any depth", () => {
    const faulty = { ...deployment, spec: { ...deployment.spec, template: misspelled() } };
    expect(faultsOf(faulty)).toEqual([
      "/spec/template/spec/terminationGracePeriod is no field of apps/v1 Deployment",
    ]);
  });

  test("a value of another type is found", () => {
    const faulty = { ...deployment, spec: { ...deployment.spec, minReadySeconds: "5" } };
    expect(faultsOf(faulty).join()).toContain("minReadySeconds must be integer");
  });

  const misspelled = () => ({
    ...deployment.spec.template,
    spec: { ...pod, terminationGracePeriod: 30 },
  });
});

describe("the settings of the copies", () => {
  test.each([
    { name: "the base", env: baseSettings },
    { name: "the example", env: exampleSettings },
  ])("$name has settings that Parley reads, and no secret", ({ env }) => {
    const secret = (name: string) =>
      Object.entries<Setting>(settings).find(([one]) => one === name)?.[1].secret === true;
    expect(Object.keys(env).filter((name) => !(name in settings))).toEqual([]);
    expect(Object.keys(env).filter(secret)).toEqual([]);
    expect(readConfig(env, () => "")).toHaveProperty("config");
  });

  test("the ports of the container are those that Parley listens on", () => {
    expect(ports).toEqual({
      http: Number(baseSettings.PORT),
      metrics: Number(baseSettings.METRICS_PORT),
    });
  });

  test("names of ports lead to the container", () => {
    const named = [`${BASE}/service.yaml`, `${BASE}/network-policy.yaml`].flatMap((path) => [
      ...JSON.stringify(readYaml(path)).matchAll(/"(?:targetPort|port)":"(\w+)"/g),
    ]);
    expect(named.length).toBeGreaterThan(2);
    for (const [, name = ""] of named) expect(Object.keys(ports)).toContain(name);
  });

  test("a copy has the time to end that its settings allow it", () => {
    const { DRAIN_DELAY_SECONDS, SHUTDOWN_SECONDS } = baseSettings;
    const needed = Number(DRAIN_DELAY_SECONDS) + Number(SHUTDOWN_SECONDS) + 2;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(needed);
  });

  test("names of other Services can't become settings", () => {
    expect(pod.enableServiceLinks).toBe(false);
  });

  test("copies are asked whether they live and whether they are ready", () => {
    const { startupProbe, readinessProbe, livenessProbe } = container;
    const asked = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet);
    expect(asked.map(({ path, port }) => `${port}${path}`)).toEqual([
      "http/healthz",
      "http/readyz",
      "http/healthz",
    ]);
  });
});

describe("names that lead from one object to another", () => {
  const labels = { "app.kubernetes.io/name": "parley" };

  test.each([
    "deployment.yaml",
    "service.yaml",
    "disruption-budget.yaml",
    "network-policy.yaml",
    "../example/stores.yaml",
  ])("%s speaks of the pods of the Deployment", (file) => {
    expect(readYaml(join(BASE, file))).toHaveProperty("spec");
    expect(JSON.stringify(readYaml(join(BASE, file)))).toContain(JSON.stringify(labels));
  });

  test("the autoscaler reads a metric that every copy has", async () => {
    const { metrics } = readYaml<AutoscalerFile>(`${BASE}/autoscaler.yaml`).spec;
    const names = metrics.flatMap(({ pods }) => (pods === undefined ? [] : [pods.metric.name]));
    const { parley } = await startScene();
    const { text } = await postJson(`${parley.origin}/metrics`, undefined, { method: "GET" });
    expect(names).not.toEqual([]);
    for (const name of names) expect(text).toMatch(new RegExp(`^${name}[ {]`, "m"));
  });
});
