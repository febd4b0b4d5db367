import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Content } from "../../../src/core/call/messages.ts";
import type { Conversations } from "../../../src/core/conversations/conversations.ts";
import { openChat } from "../../../src/core/conversations/turn-rules.ts";
import { wellFormedJson } from "../../../src/core/well-formed.ts";
import type { ConversationOptions } from "../../../src/storage/conversations/conversations.ts";
import { createDatabase, eachDatabase, type TestDatabase } from "../support/databases.ts";
import {
  ann,
  bob,
  checkWhole,
  codeOf,
  exported,
  type MovingClock,
  movingClock,
  talk,
  turn,
} from "../support/talk.ts";

const hourMs = 3_600_000;

eachDatabase("conversations", (kind) => {
  let database: TestDatabase;
  let store: Conversations;
  let clock: MovingClock;
  const reopen = async (conversations: ConversationOptions = {}) => {
    clock = movingClock();
    ({ conversations: store } = await database.open({ clock, conversations }));
  };
  beforeAll(async () => {
    database = await createDatabase(kind);
    await database.open();
  });
  beforeEach(async () => {
    await database.empty();
    await reopen();
  });
  afterAll(() => database.drop());

  test("a turn on an older answer makes a branch, and each leaf has its own path", async () => {
    const { id } = await store.create(ann);
    const [first, second] = await talk(store, ann, id, 2);
    const branch = await store.appendTurn(
      ann,
      id,
      turn(first!.answerId, { question: "other q", answer: "other a" }),
    );
    const texts = async (leafId?: string) =>
      (await store.path(ann, id, leafId === undefined ? {} : { leafId })).messages.map(
        (message) => message.content,
      );
    expect(await texts(second!.answerId)).toEqual(["q0", "a0", "q1", "a1"]);
    expect(await texts(branch.answerId)).toEqual(["q0", "a0", "other q", "other a"]);
    expect(await texts()).toEqual(await texts(branch.answerId));
    expect(await texts(first!.answerId)).toEqual(["q0", "a0"]);
    const again = await store.appendTurn(ann, id, turn(null));
    expect(await texts(again.answerId)).toEqual(["question", "answer"]);
    const tree = await store.tree(ann, id);
    expect(tree.messages).toHaveLength(8);
    expect(tree.omitted).toBe(0);
    expect(await store.tree(ann, id, { maxMessages: 4 })).toMatchObject({ omitted: 4 });
    expect(tree.conversation).toMatchObject({ messages: 8, leafId: again.answerId });
  });

  test("a path is cut to whole turns, newest first, and says how many are left out", async () => {
    const { id } = await store.create(ann);
    await talk(store, ann, id, 6);
    const window = async (query: object) => {
      const { messages, omitted, leafId } = await store.path(ann, id, query);
      expect(leafId).not.toBeNull();
      expect(messages[0]?.role ?? "user").toBe("user");
      return [messages.map((message) => message.content).join(), omitted];
    };
    expect(await window({ maxMessages: 4 })).toEqual(["q4,a4,q5,a5", 8]);
    expect(await window({ maxMessages: 5 })).toEqual(["q4,a4,q5,a5", 8]);
    expect(await window({ maxMessages: 1 })).toEqual(["", 12]);
    expect(await window({ maxMessages: 0 })).toEqual(["", 12]);
    expect(await window({ maxCharacters: 9 })).toEqual(["q4,a4,q5,a5", 8]);
    expect(await window({ maxCharacters: 3 })).toEqual(["", 12]);
    expect((await window({ maxMessages: 100, maxCharacters: 1e9 }))[1]).toBe(0);
    expect(await store.path(ann, (await store.create(ann)).id)).toMatchObject({
      messages: [],
      omitted: 0,
      leafId: null,
    });
  });

  test("parents that are not there, questions and answers of other conversations are not found", async () => {
    const { id } = await store.create(ann);
    const other = await store.create(ann);
    const [stored] = await talk(store, ann, id, 1);
    const [foreign] = await talk(store, ann, other.id, 1);
    for (const parent of ["unknown", "nul\0", "\ud800", stored!.questionId, foreign!.answerId]) {
      const place = { ...turn(parent), onlyAtNewest: false };
      expect(await codeOf(store.appendTurn(ann, id, place))).toBe("message_not_found");
      expect(await codeOf(store.checkTurn(ann, id, place))).toBe("message_not_found");
      expect(await codeOf(store.path(ann, id, { leafId: parent }))).toBe("message_not_found");
    }
    expect(await checkWhole(store, ann)).toBe(4);
  });

  test("on a chat a turn is refused once there is a newer one", async () => {
    const { id } = await store.create(ann, { name: "chat" });
    const linear = (parentId: string | null) =>
      store.appendTurn(ann, id, turn(parentId, { onlyAtNewest: true }));
    const first = await linear(null);
    expect(await codeOf(linear(null))).toBe("conversation_conflict");
    await linear(first.answerId);
    expect(await codeOf(linear(first.answerId))).toBe("conversation_conflict");
    expect(await checkWhole(store, ann)).toBe(4);
  });

  test("a claim keeps others out until it is used, given back or has run out", async () => {
    const { id } = await store.create(ann);
    const soon = () => ({ parentId: null, untilMs: clock.wallMs() + 1_000 });
    const lost = await store.claim(ann, id, soon());
    expect(await codeOf(store.claim(ann, id, soon()))).toBe("conversation_conflict");
    const linear = turn(null, { onlyAtNewest: true });
    expect(await codeOf(store.appendTurn(ann, id, linear))).toBe("conversation_conflict");
    expect(await codeOf(store.checkTurn(ann, id, linear))).toBe("conversation_conflict");
    await store.release(ann, id, lost);
    const crashed = await store.claim(ann, id, soon());
    clock.pass(1_000);
    const claimId = await store.claim(ann, id, soon());
    const late = turn(null, { claimId: crashed });
    expect(await codeOf(store.appendTurn(ann, id, late))).toBe("conversation_conflict");
    const stored = await store.appendTurn(ann, id, turn(null, { claimId }));
    expect(await store.appendTurn(ann, id, turn(null, { claimId }))).toEqual(stored);
    expect(await codeOf(store.appendTurn(ann, id, late))).toBe("conversation_conflict");
    expect(await codeOf(store.claim(ann, id, soon()))).toBe("conversation_conflict");
    const slow = await store.claim(ann, id, { ...soon(), parentId: stored.answerId });
    clock.pass(2_000);
    await store.appendTurn(ann, id, turn(stored.answerId, { claimId: slow }));
    expect(await checkWhole(store, ann)).toBe(4);
  });

  test("clearing voids a claim, and keeps chat and prompt", async () => {
    const { id } = await store.create(ann, { name: "chat", systemPrompt: "be brief" });
    await talk(store, ann, id, 2);
    await store.clear(ann, id);
    const claimId = await store.claim(ann, id, { parentId: null, untilMs: clock.wallMs() + 1e6 });
    await store.clear(ann, id);
    expect(await codeOf(store.appendTurn(ann, id, turn(null, { claimId })))).toBe(
      "conversation_conflict",
    );
    expect(await store.findByName(ann, "chat")).toMatchObject({
      systemPrompt: "be brief",
      messages: 0,
      bytes: 0,
      leafId: null,
    });
    expect(await checkWhole(store, ann)).toBe(0);
    await store.setSystemPrompt(ann, id, null);
    expect(await store.find(ann, id)).toMatchObject({ systemPrompt: null, name: "chat" });
  });

  test("what another owner has is not found, whatever is asked", async () => {
    const { id } = await store.create(ann, { name: "mine", systemPrompt: "mine" });
    const [mine] = await talk(store, ann, id, 1);
    const leafId = mine!.answerId;
    const until = { parentId: leafId, untilMs: clock.wallMs() + 1e6 };
    for (const owner of [bob, "", "nul\0", "\ud800"]) {
      const attempts = [
        store.path(owner, id),
        store.path(owner, id, { leafId }),
        store.tree(owner, id),
        store.checkTurn(owner, id, turn(leafId)),
        store.claim(owner, id, until),
        store.appendTurn(owner, id, turn(leafId)),
        store.appendTurn(owner, id, turn(leafId, { onlyAtNewest: true })),
        store.appendTurn(owner, id, turn(null, { claimId: leafId })),
        store.setSystemPrompt(owner, id, "theirs"),
        store.clear(owner, id),
      ];
      expect(new Set(await Promise.all(attempts.map(codeOf)))).toEqual(
        new Set(["conversation_not_found"]),
      );
      expect(await store.find(owner, id)).toBeNull();
      expect(await store.findByName(owner, "mine")).toBeNull();
      expect(await store.delete(owner, id)).toBe(false);
      expect(await store.list(owner)).toEqual([]);
      expect(await exported(store, owner)).toEqual([]);
      expect(await store.deleteEverything(owner)).toBe(0);
    }
    const claimId = await store.claim(ann, id, until);
    await codeOf(store.release(bob, id, claimId));
    expect(await codeOf(store.claim(ann, id, until))).toBe("conversation_conflict");
    expect(await store.find(ann, id)).toMatchObject({ messages: 2, systemPrompt: "mine" });
  });

  test("a name is its owner's own, and two who open a chat at once get the same", async () => {
    const chat = await store.create(ann, { name: "daily" });
    expect(await codeOf(store.create(ann, { name: "daily" }))).toBe("conversation_conflict");
    await store.create(bob, { name: "daily" });
    const wrong = {
      field_empty: [""],
      field_too_long: ["x".repeat(201)],
      bad_request: ["\0", "\ud800"],
    };
    for (const [code, name] of Object.entries(wrong).flatMap(([c, names]) =>
      names.map((n) => [c, n] as const),
    )) {
      expect(await codeOf(store.create(ann, { name }))).toBe(code);
      expect(await store.findByName(ann, name)).toBeNull();
    }
    const opened = await Promise.all(
      Array.from({ length: 8 }, () => openChat(store, ann, "new", async () => ({}))),
    );
    expect(new Set(opened.map((one) => one.id)).size).toBe(1);
    await store.create(ann);
    const named = await store.list(ann, { named: true });
    expect(named.map((one) => one.name).sort()).toEqual(["daily", "new"]);
    expect(await store.list(ann)).toHaveLength(3);
    expect(await store.delete(ann, chat.id)).toBe(true);
    expect(await store.delete(ann, chat.id)).toBe(false);
    await store.create(ann, { name: "daily" });
  });

  test("lists and exports come in pages that neither lose nor repeat", async () => {
    const ids = [];
    for (let at = 0; at < 130; at++) ids.push((await store.create(ann)).id);
    await talk(store, ann, ids[3]!, 45);
    const first = await store.list(ann, { limit: 50 });
    const rest = await store.list(ann, { after: first.at(-1)! });
    expect([...first, ...rest].map((one) => one.id).sort()).toEqual(ids.sort());
    const items = await exported(store, ann);
    expect(items.filter((item) => item.type === "conversation")).toHaveLength(130);
    expect(items.filter((item) => item.type === "message")).toHaveLength(90);
    expect(await store.deleteEverything(ann)).toBe(130);
    expect(await exported(store, ann)).toEqual([]);
  }, 30_000);

  test("any text comes back as it was, parts too, save half a surrogate pair,, and interrupted answers say so", async () => {
    const { id } = await store.create(ann, { systemPrompt: "nul \0 half \ud800 '" });
    const contents: Content[] = [
      "",
      "nul \0 and half \udc00 and 👩‍🚀 and \\u0000",
      "tjs\"'; DROP TABLE turns; --",
      [
        { type: "text", text: "look \0 \ud800" },
        { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
      ],
    ];
    let parentId: string | null = null;
    for (const content of contents) {
      const both = { question: content, answer: content, state: "interrupted" } as const;
      parentId = (await store.appendTurn(ann, id, turn(parentId, both))).answerId;
    }
    const { messages, conversation } = await store.path(ann, id);
    const kept = contents.map((content) => JSON.parse(wellFormedJson(content)));
    expect(messages.map((message) => message.content)).toEqual(kept.flatMap((c) => [c, c]));
    expect(messages.map((message) => message.state)).toEqual(
      contents.flatMap(() => ["complete", "interrupted"]),
    );
    expect(conversation.systemPrompt).toBe("nul \0 half \ufffd '");
    await store.setGlobalPrompt("all \0");
    await store.setGlobalPrompt("all \ud800");
    expect(await store.globalPrompt()).toBe("all \ufffd");
    await store.setGlobalPrompt(null);
    expect(await store.globalPrompt()).toBeNull();
  });

  test("each limit refuses the one that would pass it, and no other", async () => {
    const limits = {
      messagesPerConversation: 6,
      bytesPerConversation: 60,
      bytesPerMessage: 20,
      childrenPerMessage: 2,
      conversationsPerOwner: 3,
    };
    await reopen({ limits });
    const { id } = await store.create(ann);
    const small = { question: "q", answer: "a" };
    const root = await store.appendTurn(ann, id, turn(null, small));
    const big = turn(root.answerId, { question: "x".repeat(21), answer: "" });
    expect(await codeOf(store.appendTurn(ann, id, big))).toBe("message_too_large");
    expect(await codeOf(store.checkTurn(ann, id, big))).toBe("message_too_large");
    await store.appendTurn(ann, id, turn(root.answerId, small));
    const leaf = await store.appendTurn(ann, id, turn(root.answerId, small));
    await expect(store.appendTurn(ann, id, turn(root.answerId, small))).rejects.toMatchObject({
      code: "conversation_full",
      details: { limit: "messages", max: 6 },
    });
    const claim = { parentId: leaf.answerId, untilMs: clock.wallMs() + 1_000 };
    expect(await codeOf(store.claim(ann, id, claim))).toBe("conversation_full");
    await store.create(ann);
    const { id: wide } = await store.create(ann);
    await store.appendTurn(ann, wide, turn(null, small));
    await store.appendTurn(ann, wide, turn(null, small));
    await expect(store.appendTurn(ann, wide, turn(null, small))).rejects.toMatchObject({
      details: { limit: "branches", max: 2 },
    });
    expect(await codeOf(store.create(ann))).toBe("conversations_limited");
    await store.create(bob);
    await store.delete(ann, wide);
    const { id: heavy } = await store.create(ann);
    const full = { question: "é".repeat(10), answer: "x".repeat(20) };
    const first = await store.appendTurn(ann, heavy, turn(null, full));
    await expect(
      store.appendTurn(ann, heavy, turn(first.answerId, { ...full, answer: "" })),
    ).resolves.toBeDefined();
    await expect(store.appendTurn(ann, heavy, turn(null, small))).rejects.toMatchObject({
      details: { limit: "bytes", max: 60 },
    });
    expect(await store.find(ann, heavy)).toMatchObject({ bytes: 60 });
  });

  test("parallel creators never pass the limit", async () => {
    await reopen({ limits: { conversationsPerOwner: 5 } });
    const codes = await Promise.all(
      Array.from({ length: 12 }, () => codeOf(store.create(ann, {}))),
    );
    expect(codes.filter((code) => code === "done")).toHaveLength(5);
    expect(await store.list(ann)).toHaveLength(5);
  });

  test("use moves the expiry, and what has expired is gone before any sweep", async () => {
    const { id, expiresAt } = await store.create(ann, { name: "chat", lifetimeMs: hourMs });
    clock.pass(30_000);
    await store.path(ann, id);
    expect((await store.find(ann, id))?.expiresAt).toBe(expiresAt);
    clock.pass(hourMs - 60_000);
    await store.path(ann, id);
    const moved = expiresAt + hourMs - 30_000;
    expect((await store.find(ann, id))?.expiresAt).toBe(moved);
    clock.pass(hourMs - 1);
    expect(await store.find(ann, id)).not.toBeNull();
    const [stored] = await talk(store, ann, id, 1);
    clock.pass(hourMs);
    const attempts = [
      store.path(ann, id),
      store.tree(ann, id),
      store.appendTurn(ann, id, turn(stored!.answerId)),
      store.claim(ann, id, { parentId: stored!.answerId, untilMs: clock.wallMs() + 1_000 }),
      store.setSystemPrompt(ann, id, "x"),
      store.clear(ann, id),
    ];
    expect(new Set(await Promise.all(attempts.map(codeOf)))).toEqual(
      new Set(["conversation_not_found"]),
    );
    expect(await store.findByName(ann, "chat")).toBeNull();
    expect(await store.list(ann)).toEqual([]);
    expect(await store.delete(ann, id)).toBe(false);
    const next = await store.create(ann, { name: "chat" });
    expect(await store.findByName(ann, "chat")).toMatchObject({ id: next.id, messages: 0 });
    expect(await store.sweep()).toBe(1);
    expect(await store.findByName(ann, "chat")).toMatchObject({ id: next.id });
  });

  test("a conversation outlives the claim on it", async () => {
    const { id } = await store.create(ann, { lifetimeMs: 1_000 });
    const claim = { parentId: null, untilMs: clock.wallMs() + 600_000 };
    const claimId = await store.claim(ann, id, claim);
    clock.pass(590_000);
    await store.appendTurn(ann, id, turn(null, { claimId }));
    expect(await checkWhole(store, ann)).toBe(2);
  });

  test("a sweep deletes no more than it is told, and only what has expired", async () => {
    await reopen({ maxSwept: 4, lifetimeMs: hourMs, limits: { conversationsPerOwner: 12 } });
    for (let at = 0; at < 10; at++) await talk(store, ann, (await store.create(ann)).id, 2);
    const kept = await store.create(ann, { lifetimeMs: 2 * hourMs });
    expect(await store.sweep()).toBe(0);
    clock.pass(hourMs);
    expect([await store.sweep(), await store.sweep()]).toEqual([4, 4]);
    // Those that wait for a sweep are in nobody's way.
    for (let at = 0; at < 11; at++) await store.create(ann);
    expect(await codeOf(store.create(ann))).toBe("conversations_limited");
    expect(await store.sweep()).toBe(0);
    expect(await store.find(ann, kept.id)).not.toBeNull();
    expect(await store.deleteEverything(ann)).toBe(12);
  });
});
