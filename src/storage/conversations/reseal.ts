import { sql } from "kysely";
import { query, type Transaction } from "../driver/driver.ts";
import type { ConversationTable, TurnTable } from "../driver/schema.ts";
import { settingQueries } from "../settings.ts";
import { type ConversationStore, contextOf, GLOBAL_PROMPT, questionId } from "./rows.ts";

/** Rows that are read together and written in one transaction, so that no call waits long. */
const PAGE_ROWS = 100;

/** What was sealed again. */
export interface ResealedContent {
  readonly texts: number;
  /** Conversations (or the global prompt) with a text that no key opens; it stays as it is. */
  readonly unreadable: readonly string[];
}

type Reseal = (stored: string, context: string) => string | null;

/**
 * Seals the texts and names of live conversations again with the newest key, page by page. A text that
 * somebody changes meanwhile has the newest key already.
 */
export function createContentReseal(store: ConversationStore): () => Promise<ResealedContent> {
  const { codec } = store;
  return async () => {
    const unreadable = new Set<string>();
    let texts = 0;
    /** Null: stays as it is. */
    const resealOf = (conversationId: string): Reseal => {
      return (stored, context) => {
        try {
          const sealed = codec.reseal(stored, context);
          if (sealed !== null) texts += 1;
          return sealed;
        } catch {
          unreadable.add(conversationId);
          return null;
        }
      };
    };
    await resealConversations(store, resealOf);
    await resealTurns(store, resealOf);
    await resealGlobalPrompt(store, resealOf(GLOBAL_PROMPT));
    return { texts, unreadable: [...unreadable] };
  };
}

type ConversationRow = Pick<
  ConversationTable,
  "id" | "owner" | "name_key" | "name" | "system_prompt"
>;

async function resealConversations(
  store: ConversationStore,
  resealOf: (id: string) => Reseal,
): Promise<void> {
  const { driver, builder, clock } = store;
  const live = builder
    .selectFrom("conversations")
    .select(["id", "owner", "name_key", "name", "system_prompt"])
    .where("expires_at", ">", clock.wallMs())
    .orderBy("id")
    .limit(PAGE_ROWS);
  for (let last = ""; ; ) {
    const page: readonly ConversationRow[] = await driver.all(
      live.where("id", ">", last).compile(),
    );
    const changes = page.flatMap((row) => changeOf(store, row, resealOf(row.id)));
    if (changes.length > 0) await driver.transaction(() => allOf(changes));
    if (page.length < PAGE_ROWS) return;
    last = page.at(-1)?.id ?? "";
  }
}

function changeOf(
  { builder, codec, nameKeys }: ConversationStore,
  row: ConversationRow,
  reseal: Reseal,
) {
  const { id, owner, name, system_prompt: prompt } = row;
  const newName = name === null ? null : reseal(name, contextOf.name(id));
  const newPrompt = prompt === null ? null : reseal(prompt, contextOf.prompt(id));
  if (newName === null && newPrompt === null) return [];
  // An expired chat has lost its key, and keeps none.
  const isNamed = newName !== null && row.name_key !== null;
  const key = isNamed ? nameKeys(owner, codec.readText(newName, contextOf.name(id)))[0] : null;
  return [
    builder
      .updateTable("conversations")
      .set({
        ...(newName !== null && { name: newName }),
        ...(key !== null && { name_key: key }),
        ...(newPrompt !== null && { system_prompt: newPrompt }),
      })
      .where("id", "=", id)
      .where(sql<boolean>`name is not distinct from ${name}`)
      .where(sql<boolean>`system_prompt is not distinct from ${prompt}`)
      .compile(),
  ];
}

type TurnRow = Pick<TurnTable, "conversation_id" | "id" | "question" | "answer">;

async function resealTurns(
  { driver, builder }: ConversationStore,
  resealOf: (id: string) => Reseal,
): Promise<void> {
  const turns = builder
    .selectFrom("turns")
    .select(["conversation_id", "id", "question", "answer"])
    .orderBy("conversation_id")
    .orderBy("id")
    .limit(PAGE_ROWS);
  for (let last = { conversation_id: "", id: "" }; ; ) {
    const after = sql<boolean>`(conversation_id, id) > (${last.conversation_id}, ${last.id})`;
    const page: readonly TurnRow[] = await driver.all(turns.where(after).compile());
    const changes = page.flatMap(({ conversation_id: conversation, id, question, answer }) => {
      const reseal = resealOf(conversation);
      const asked = reseal(question, contextOf.message(conversation, questionId(id)));
      const answered = reseal(answer, contextOf.message(conversation, id));
      if (asked === null && answered === null) return [];
      const set = { question: asked ?? question, answer: answered ?? answer };
      const change = builder.updateTable("turns").set(set);
      // A turn is never changed, only deleted.
      return [change.where("conversation_id", "=", conversation).where("id", "=", id).compile()];
    });
    if (changes.length > 0) await driver.transaction(() => allOf(changes));
    const end = page.at(-1);
    if (end === undefined || page.length < PAGE_ROWS) return;
    last = end;
  }
}

async function resealGlobalPrompt(
  { driver, builder }: ConversationStore,
  reseal: Reseal,
): Promise<void> {
  const { read, write } = settingQueries(builder);
  const name = GLOBAL_PROMPT;
  const [row] = await driver.all(read({ name }));
  const value = row === undefined ? null : reseal(row.value, contextOf.setting(name));
  if (value !== null) await driver.all(write({ name, value }));
}

function* allOf(changes: readonly Parameters<typeof query>[0][]): Transaction<void> {
  for (const change of changes) yield* query(change);
}
