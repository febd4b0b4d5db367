import { randomBytes } from "node:crypto";
import type { Conversations } from "../../core/conversations/conversations.ts";
import { type ConversationLimits, conversationLimits } from "../../core/conversations/turns.ts";
import { ProxyError } from "../../core/errors.ts";
import { createSecretBox, type SecretKeys } from "../accounts/secret-box.ts";
import { ask } from "../driver/driver.ts";
import { prepare } from "../driver/queries.ts";
import { isStorable } from "../driver/text.ts";
import { createContentCodec } from "./content-codec.ts";
import { createCreate, storedPrompt } from "./create.ts";
import { createGlobalPrompt } from "./global-prompt.ts";
import { createLists } from "./lists.ts";
import { createNameKeys, isName } from "./names.ts";
import type { ConversationParts } from "./parts.ts";
import { createPaths } from "./paths.ts";
import { conversationQueries, type OwnedKey } from "./queries.ts";
import { createRemoval } from "./removal.ts";
import {
  contextOf,
  conversationColumns,
  conversationOf,
  notFound,
  type StoredConversation,
} from "./row.ts";
import { createTurns } from "./turns.ts";

export interface ConversationOptions {
  /** Contents, prompts and names are sealed under SECRET_KEY; by default if there is one. */
  readonly encryptContent?: boolean;
  readonly limits?: Partial<ConversationLimits>;
  /** Of conversations that were made without a lifetime of their own. */
  readonly lifetimeMs?: number;
  readonly sweepAtOnce?: number;
  readonly newConversationId?: () => string;
}

/** EXPIRE_HOURS of the first server that kept chats. */
const lifetimeMs = 6 * 3_600_000;
const sweepAtOnce = 200;
const idBytes = 16;

type Sealing = Pick<ConversationParts, "codec" | "names">;
type Given = Sealing & Pick<ConversationParts, "driver" | "builder" | "writes" | "clock" | "newId">;

/** How texts and names are kept; throws when they are to be encrypted and there is no key. */
export function createSealing(
  secretKeys: SecretKeys,
  encryptContent = secretKeys.current !== null,
): Sealing {
  if (encryptContent && secretKeys.current === null) {
    throw new Error("conversations can only be encrypted with a SECRET_KEY");
  }
  return {
    codec: createContentCodec(createSecretBox(secretKeys, "conversation text"), encryptContent),
    names: createNameKeys(secretKeys, encryptContent),
  };
}

export function createConversations(
  given: Given,
  options: ConversationOptions = {},
): Conversations {
  const parts = partsOf(given, options);
  const { row, path, tree } = createPaths(parts);
  const { sweepOwner, ...removal } = createRemoval(parts);
  return {
    create: createCreate(parts, sweepOwner),
    find: async (owner, id) => {
      try {
        return conversationOf(parts.codec, await row(owner, id));
      } catch (error) {
        if (error instanceof ProxyError && error.code === "conversation_not_found") return null;
        throw error;
      }
    },
    findByName: createFindByName(parts),
    path,
    tree,
    ...createTurns(parts),
    ...createChanges(parts),
    ...removal,
    ...createLists(parts),
    ...createGlobalPrompt(parts),
  };
}

function partsOf(given: Given, options: ConversationOptions): ConversationParts {
  return {
    ...given,
    limits: { ...conversationLimits, ...options.limits },
    lifetimeMs: options.lifetimeMs ?? lifetimeMs,
    sweepAtOnce: options.sweepAtOnce ?? sweepAtOnce,
    newConversationId: options.newConversationId ?? (() => randomBytes(idBytes).toString("hex")),
  };
}

function createFindByName({ driver, builder, clock, codec, names }: ConversationParts) {
  // as many keys for every name, so that the query is built once
  const places = names.of("", "").map((_key, at) => `key${at}`);
  const named = prepare<Readonly<Record<string, unknown>>, StoredConversation>(({ int, text }) =>
    builder
      .selectFrom("conversations")
      .select(conversationColumns)
      .where("owner", "=", text("owner"))
      .where(
        "name_key",
        "in",
        places.map((place) => text(place)),
      )
      // no LIMIT: SQLite plans a query anew for each value bound to one
      .where("expires_at", ">", int("now")),
  );
  return async (owner: string, name: string) => {
    if (!isName(name) || !isStorable(owner)) return null;
    const keys = names.of(owner, name).map((key, at) => [`key${at}`, key]);
    const values = { owner, now: clock.wallMs(), ...Object.fromEntries(keys) };
    const [row] = await driver.all(named(values));
    return row === undefined ? null : conversationOf(codec, row);
  };
}

type Changes = Pick<Conversations, "setSystemPrompt" | "clear">;

function createChanges({ driver, builder, clock, codec, limits }: ConversationParts): Changes {
  const { setPrompt, empty, deleteTurns } = conversationQueries(builder);
  const keyOf = (owner: string, id: string): OwnedKey => {
    if (!isStorable(owner) || !isStorable(id)) throw notFound();
    return { owner, id, now: clock.wallMs() };
  };
  return {
    setSystemPrompt: async (owner, id, prompt) => {
      const key = keyOf(owner, id);
      const stored = storedPrompt(codec, limits, prompt, contextOf.prompt(id));
      const [changed] = await driver.all(setPrompt({ ...key, prompt: stored }));
      if (changed === undefined) throw notFound();
    },
    clear: async (owner, id) => {
      const key = keyOf(owner, id);
      const cleared = await driver.transaction(function* () {
        // First the conversation: a turn that is being stored comes wholly before or after.
        const [emptied] = yield* ask(empty(key));
        if (emptied !== undefined) yield* ask(deleteTurns({ id }));
        return emptied !== undefined;
      });
      if (!cleared) throw notFound();
    },
  };
}
