import { changesIn, type Draft } from "../forms/use-form.ts";
import type { Upstream } from "./routing.ts";

const own = [
  "name",
  "url",
  "kind",
  "models",
  "concurrency",
  "answer_seconds",
  "first_token_seconds",
];
const secret = ["keys", "headers", "proxy"];
/** The ticks that take what is stored away. */
const drops = secret.map((name) => `drop_${name}`);

export const emptyUpstream: Draft = {
  ...Object.fromEntries([...own, ...secret, ...drops].map((name) => [name, ""])),
  kind: "openai",
};

/** Secrets stay where they are: their fields are empty. */
export function upstreamDraft(upstream: Upstream): Draft {
  return {
    ...emptyUpstream,
    name: upstream.name,
    url: upstream.url,
    kind: upstream.kind,
    models: upstream.models.join(", "),
    concurrency: String(upstream.concurrency ?? ""),
    answer_seconds: String(upstream.answer_seconds ?? ""),
    first_token_seconds: String(upstream.first_token_seconds ?? ""),
  };
}

/** The body for /admin: the fields that are not as they are stored. */
export function upstreamChanges(stored: Draft, draft: Draft): Record<string, unknown> {
  const changes = changesIn(stored, draft);
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(changes)) {
    if (name.startsWith("drop_")) body[name.slice("drop_".length)] ??= null;
    else body[name] = name === "headers" && value !== null ? headersIn(value) : value;
  }
  return body;
}

/** `NAME: VALUE` or `NAME=VALUE` in each line; one without either has no value, which the API refuses. */
function headersIn(text: string): Readonly<Record<string, string>> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = line, value = ""] = /^([^:=]+)[:=](.*)$/.exec(line) ?? [];
      return [name.trim(), value.trim()];
    }),
  );
}
