import type { Conversations } from "../../core/conversations/conversations.ts";
import {
  type ConversationLimits,
  conversationLimits,
} from "../../core/conversations/turn-rules.ts";
import type { Clock } from "../../core/ports.ts";
import type { Database } from "../driver/database.ts";
import { query } from "../driver/driver.ts";
import { settingQueries } from "../settings.ts";
import { createConversationCreator } from "./create.ts";
import { createConversationLister } from "./lists.ts";
import { conversationQueries } from "./queries.ts";
import { createConversationReader } from "./reading.ts";
import { createConversationRemover } from "./removal.ts";
import { createContentReseal } from "./reseal.ts";
import { bytesInRoom, conversationRooms } from "./rooms.ts";
import {
  type ConversationStore,
  contextOf,
  conversationNotFound,
  GLOBAL_PROMPT,
  ownedKey,
  storedPrompt,
} from "./rows.ts";
import type { Sealing } from "./sealing.ts";
import { createTurns } from "./turns.ts";

export interface StoredConversations extends Conversations {
  readonly reseal: ReturnType<typeof createContentReseal>;
}

export interface ConversationOptions {
  /** Whether contents, prompts and names are sealed; by default if there is a SECRET_KEY. */
  readonly encryptContent?: boolean;
  readonly limits?: Partial<ConversationLimits>;
  /** For conversations that were created without a lifetime of their own. */
  readonly lifetimeMs?: number;
  /** Conversations that one sweep deletes. */
  readonly maxSwept?: number;
}

/** EXPIRE_HOURS of the first server that kept chats. */
const LIFETIME_MS = 6 * 3_600_000;
const MAX_SWEPT = 200;

export function createConversations(
  database: Database,
  clock: Clock,
  sealing: Sealing,
  { limits, lifetimeMs = LIFETIME_MS, maxSwept = MAX_SWEPT }: ConversationOptions = {},
): StoredConversations {
  const store: ConversationStore = {
    ...database,
    ...sealing,
    clock,
    limits: { ...conversationLimits, ...limits },
    lifetimeMs,
    maxSwept,
  };
  const { sweepOwner, ...removal } = createConversationRemover(store);
  return {
    create: createConversationCreator(store, sweepOwner),
    ...createConversationReader(store),
    ...createConversationLister(store),
    ...createTurns(store),
    ...createChanges(store),
    ...removal,
    ...createGlobalPrompt(store),
    reseal: createContentReseal(store),
  };
}

function createChanges(store: ConversationStore): Pick<Conversations, "setSystemPrompt" | "clear"> {
  const { driver, builder } = store;
  const rooms = conversationRooms(builder);
  const { setPrompt, setRoomBytes, empty, deleteTurns } = conversationQueries(builder);
  return {
    setSystemPrompt: async (owner, id, prompt) => {
      const key = ownedKey(store, owner, id);
      const stored = storedPrompt(store, prompt, contextOf.prompt(id));
      const bytes = bytesInRoom(stored);
      await driver.transaction(function* () {
        const [changed] = yield* query(setPrompt({ ...key, prompt: stored }));
        if (changed === undefined) throw conversationNotFound();
        const { room, room_bytes } = changed;
        if (room === null || room_bytes === bytes) return;
        yield* query(setRoomBytes({ id, bytes }));
        if (bytes > room_bytes) yield* rooms.take(room, bytes - room_bytes);
        else yield* rooms.give(room, room_bytes - bytes);
      });
    },
    clear: async (owner, id) => {
      const key = ownedKey(store, owner, id);
      const cleared = await driver.transaction(function* () {
        // The conversation first: a turn that is being stored then comes wholly before or after.
        const [emptied] = yield* query(empty(key));
        if (emptied !== undefined) yield* query(deleteTurns({ id }));
        return emptied !== undefined;
      });
      if (!cleared) throw conversationNotFound();
    },
  };
}

function createGlobalPrompt(
  store: ConversationStore,
): Pick<Conversations, "globalPrompt" | "setGlobalPrompt"> {
  const { driver, builder, codec } = store;
  const { read, write, remove } = settingQueries(builder);
  const name = GLOBAL_PROMPT;
  const context = contextOf.setting(name);
  return {
    async globalPrompt() {
      const [row] = await driver.all(read({ name }));
      return row === undefined ? null : codec.readText(row.value, context);
    },
    async setGlobalPrompt(prompt) {
      const value = storedPrompt(store, prompt, context);
      await driver.all(value === null ? remove({ name }) : write({ name, value }));
    },
  };
}
