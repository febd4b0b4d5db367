/** The objects of deploy/kubernetes, and whether Kubernetes would know all of their fields. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { Ingress } from "kubernetes-models/networking.k8s.io/v1/Ingress";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { Service } from "kubernetes-models/v1/Service";
import { parse } from "yaml";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

export interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly { readonly envs: readonly string[] }[];
}

export interface AlertsFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

interface ModelClass {
  readonly apiVersion: string;
  readonly kind: string;
  /** Takes the fields of its kind, which are not known here. */
  new (fields: never): { validate(): void };
}

const MODELS: readonly ModelClass[] = [
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Service,
];
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The text of a file, by its path from the top of the project. */
export function fileText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The names of the files of a folder. */
export function filesIn(path: string): string[] {
  return readdirSync(join(ROOT, path)).toSorted();
}

/** A YAML file as whatever it is said to be. */
export function readYaml<T>(path: string): T {
  return parse(fileText(path)) as T;
}

/** The lines NAME=value of a file. */
export function readSettings(path: string): Record<string, string> {
  const lines = fileText(path)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]));
}

/** Files that a kustomization names, by their paths from the top of the project. */
export function listedFiles(path: string): string[] {
  const { resources, configMapGenerator } = readYaml<Kustomization>(path);
  const names = [...resources, ...configMapGenerator.flatMap(({ envs }) => envs)];
  return names.map((name) => join(dirname(path), name));
}

/**
 * What the published type of the object has against it, or the paths of the fields that it does not
 * know. The type accepts unknown fields, so they are found as those that its validation never reads.
 */
export function faultsOf(manifest: Manifest): string[] {
  const Model = MODELS.find(
    ({ apiVersion, kind }) => apiVersion === manifest.apiVersion && kind === manifest.kind,
  );
  if (Model === undefined) return [`no type ${manifest.apiVersion} ${manifest.kind}`];
  const unread = new Set<string>();
  const { apiVersion, kind, ...fields } = manifest;
  const object = new Model(watched(fields, "", unread) as never);
  try {
    object.validate();
  } catch (error) {
    return [String(error)];
  }
  return [...unread].map((path) => `${path} is no field of ${apiVersion} ${kind}`);
}

/** Of no plain class: the model copies plain objects, and would read every field itself. */
class Watched {
  readonly [field: string]: unknown;
}

function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, inner]) => {
    unread.add(`${path}/${name}`);
    return [name, watched(inner, `${path}/${name}`, unread)] as const;
  });
  const copy = Array.isArray(value) ? fields.map(([, inner]) => inner) : new Watched();
  return new Proxy(Object.assign(copy, Object.fromEntries(fields)), {
    get(target, name, receiver) {
      unread.delete(`${path}/${String(name)}`);
      return Reflect.get(target, name, receiver);
    },
  });
}
