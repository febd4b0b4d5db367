/** Several upstreams with a Parley in front of them; routes are set as by a command beside the server. */
import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/clock.ts";
import { storageOptions } from "../../src/config/storage.ts";
import { parseRouteText } from "../../src/core/routing/route-text.ts";
import type { UpstreamChanges } from "../../src/core/routing/routing.ts";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { closeAfterFile } from "./cleanup.ts";
import { postJson } from "./http.ts";
import type { RunningParley } from "./parley.ts";
import { type SceneOptions, startScene } from "./scene.ts";
import { type ScriptedUpstream, startUpstream } from "./upstream.ts";

export interface Routed {
  readonly parley: RunningParley;
  /** The upstream of the settings. */
  readonly base: ScriptedUpstream;
  readonly storage: Storage;
  /** Adds an upstream that has started. */
  add(name: string, changes?: UpstreamChanges): Promise<ScriptedUpstream>;
  route(model: string, to: string): Promise<void>;
  token(options?: Partial<Parameters<Storage["tokens"]["create"]>[0]>): Promise<string>;
  price(model: string): Promise<void>;
  chat(model: string, key: string, more?: object): ReturnType<typeof postJson>;
}

export async function startRouted(
  env: Readonly<Record<string, string>> = {},
  options: SceneOptions = {},
): Promise<Routed> {
  const secret = randomBytes(32).toString("hex");
  const { parley, upstream: base } = await startScene({ SECRET_KEY: secret, ...env }, options);
  const { databaseUrl, sqliteFile, ...rest } = storageOptions(parley.config, systemClock, fail);
  const storage = await openStorage({ databaseUrl, sqliteFile, ...rest, oneOff: true });
  closeAfterFile({ close: () => storage.close() });
  return {
    parley,
    base,
    storage,
    async add(name, changes = {}) {
      const upstream = closeAfterFile(await startUpstream());
      const none = { keys: [`sk-of-${name}-0123456789`], headers: {}, proxyUrl: null };
      const usual = { models: [], concurrency: null, answerSeconds: null, firstTokenSeconds: null };
      const found = { name, kind: "openai" as const, url: upstream.url, ...usual, ...none };
      await storage.routing.addUpstream({ ...found, ...changes });
      return upstream;
    },
    async route(model, to) {
      await storage.routing.setRoute({ model, stages: parseRouteText(to) });
    },
    token: async (options = {}) =>
      (await storage.tokens.create({ name: randomBytes(6).toString("hex"), ...options })).secret,
    price: (model) =>
      storage.prices.set({ model, input: "1", cachedInput: null, output: "2", since: 0 }),
    chat: (model, key, more = {}) => {
      const question = { model, messages: [{ role: "user", content: "Hello?" }], ...more };
      const headers = { authorization: `Bearer ${key}` };
      return postJson(`${parley.origin}/v1/chat/completions`, question, { headers });
    },
  };
}

function fail(error: Error): never {
  throw error;
}
