import fc from "fast-check";
import { expect, test } from "vitest";
import type { Conversations } from "../../../src/core/conversations/conversations.ts";
import {
  type ConversationLimits,
  conversationLimits,
} from "../../../src/core/conversations/turn-rules.ts";
import { noon } from "../support/calls.ts";
import { createModel } from "../support/conversation-model.ts";
import { createDatabase, eachDatabase, rounds } from "../support/databases.ts";
import { ann, bob, checkWhole, codeOf, type MovingClock, movingClock } from "../support/talk.ts";

const lifetimeMs = 600_000;
/** Small, so that random operations reach them. */
const limits: ConversationLimits = {
  ...conversationLimits,
  messagesPerConversation: 12,
  bytesPerConversation: 90,
  bytesPerMessage: 12,
  childrenPerMessage: 2,
  conversationsPerOwner: 3,
};

/** Numbers pick one of what there is at that moment; some pick nothing that exists. */
interface Step {
  readonly kind: (typeof kinds)[number];
  readonly owner: string;
  readonly conversation: number;
  readonly place: number;
  readonly flag: boolean;
  readonly size: number;
  readonly ms: number;
}

const kinds = [
  ...["append", "append", "append", "append", "append", "append", "append", "append"],
  ...["path", "path", "path", "claim", "claim", "release", "create", "sweep", "pass"],
  ...["clear", "prompt", "delete"],
] as const;

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    owner: fc.constantFrom(ann, ann, ann, ann, ann, bob),
    conversation: fc.constantFrom(0, 0, 0, 1, 2, 3),
    place: fc.nat(9),
    flag: fc.boolean(),
    size: fc.nat(14),
    ms: fc.constantFrom(1, 1, -2_000, 1_000, 1_000, 59_999, 60_001, lifetimeMs - 1, lifetimeMs),
  }),
  { minLength: 20, maxLength: 80 },
);

eachDatabase("random operations on conversations", (kind) => {
  test(
    "end as in a model without a database",
    async () => {
      const database = await createDatabase(kind);
      await (await database.open()).close();
      try {
        await fc.assert(
          fc.asyncProperty(steps, async (list) => {
            await database.empty();
            const clock = movingClock(noon);
            const options = { limits, lifetimeMs };
            const storage = await database.open({ clock, conversations: options });
            // closed before the next run, whose time is not this one's
            await compare(storage.conversations, clock, list).finally(storage.close);
          }),
          { numRuns: rounds * 2 },
        );
      } finally {
        await database.drop();
      }
    },
    120_000 + rounds * 5_000,
  );
});

const nothing = { conversation: 0, place: 0, flag: false, size: 0, ms: 0 };

type Model = ReturnType<typeof createModel>;

interface World {
  readonly store: Conversations;
  readonly model: Model;
  readonly clock: MovingClock;
  /** Ids of claims, used or not. */
  readonly claims: string[];
}

async function compare(store: Conversations, clock: MovingClock, list: readonly Step[]) {
  const world: World = { store, clock, model: createModel(limits, lifetimeMs), claims: [] };
  const first: Step = { ...nothing, kind: "create", owner: ann };
  for (const step of [first, ...list]) {
    world.model.setTime(clock.wallMs());
    await run(world, step);
    for (const owner of [ann, bob]) {
      const stored = (await store.list(owner)).map(({ createdAt: _, ...rest }) => rest);
      expect(byId(stored)).toEqual(byId(world.model.live(owner)));
    }
  }
  await checkWhole(store, ann);
  await checkWhole(store, bob);
}

function run(world: World, step: Step): Promise<void> {
  switch (step.kind) {
    case "append":
      return append(world, step);
    case "claim":
      return claim(world, step);
    case "create":
      return create(world, step);
    case "path":
      return path(world, step);
    default:
      return change(world, step);
  }
}

async function create({ store, model }: World, { owner, flag, size }: Step): Promise<void> {
  const name = flag ? `name ${size % 2}` : null;
  const expected = model.refuseCreate(owner, name);
  const chosen = name === null ? { systemPrompt: "p" } : { systemPrompt: "p", name };
  const created = store.create(owner, chosen);
  expect(await codeOf(created)).toBe(expected);
  if (expected === "done") model.created(owner, (await created).id, name, "p");
}

async function append(world: World, step: Step): Promise<void> {
  const { store, model, claims } = world;
  const id = conversationOf(world, step);
  const parentId = answerOf(world, step);
  const claimId =
    step.flag && step.size % 2 === 0 ? (claims.at(-1 - (step.size % 3)) ?? null) : null;
  const place = { parentId, onlyAtNewest: step.flag };
  const [question, answer] = ["q".repeat(step.size), "a".repeat(step.size % 5)];
  const expected = model.refuseTurn(step.owner, id, { ...place, claimId }, question, answer);
  if (claimId === null) {
    const checked = await codeOf(store.checkTurn(step.owner, id, { ...place, question }));
    // Without an answer there may be room that the whole turn has not.
    if (expected !== "conversation_full") expect(checked).toBe(expected);
  }
  const wish = { ...place, question, answer, ...(claimId === null ? {} : { claimId }) };
  const appended = store.appendTurn(step.owner, id, wish);
  expect(await codeOf(appended)).toBe(expected);
  if (expected !== "done") return;
  const { answerId } = await appended;
  model.appended(step.owner, id, { id: answerId, question, answer }, parentId);
}

async function claim(world: World, step: Step): Promise<void> {
  const { store, model, clock } = world;
  const id = conversationOf(world, step);
  const parentId = answerOf(world, step);
  const untilMs = clock.wallMs() + step.ms;
  const expected = model.refuseClaim(step.owner, id, parentId);
  const claimed = store.claim(step.owner, id, { parentId, untilMs });
  expect(await codeOf(claimed)).toBe(expected);
  if (expected !== "done") return;
  world.claims.push(await claimed);
  model.claimed(step.owner, id, await claimed, untilMs);
}

async function path(world: World, step: Step): Promise<void> {
  const id = conversationOf(world, step);
  const leafId = step.flag ? undefined : (answerOf(world, step) ?? undefined);
  const maxMessages = step.size;
  const maxCharacters = step.place < 6 ? 1_000 : step.size * 3;
  const expected = world.model.path(step.owner, id, leafId, maxMessages, maxCharacters);
  const bounds = { maxMessages, maxCharacters };
  const query = leafId === undefined ? bounds : { ...bounds, leafId };
  const read = world.store.path(step.owner, id, query);
  if (typeof expected === "string") {
    expect(await codeOf(read)).toBe(expected);
    return;
  }
  const { messages, omitted } = await read;
  expect({ texts: messages.map((one) => one.content), omitted }).toEqual(expected);
}

async function change(world: World, step: Step): Promise<void> {
  const { store, model, clock, claims } = world;
  const { owner } = step;
  const id = conversationOf(world, step);
  if (step.kind === "pass" && model.mayPass(step.ms)) clock.pass(step.ms);
  if (step.kind === "sweep") await store.sweep();
  if (step.kind === "delete") expect(await store.delete(owner, id)).toBe(model.delete(owner, id));
  if (step.kind === "clear") {
    expect(await codeOf(store.clear(owner, id))).toBe(model.change(owner, id, "clear", ""));
  }
  if (step.kind === "prompt") {
    const prompt = `p${step.size}`;
    const code = await codeOf(store.setSystemPrompt(owner, id, prompt));
    expect(code).toBe(model.change(owner, id, "prompt", prompt));
  }
  const claimId = claims.at(-1);
  if (step.kind === "release" && claimId !== undefined) {
    await store.release(owner, id, claimId);
    model.released(owner, id, claimId);
  }
  model.setTime(clock.wallMs());
}

/** One that is or was there, mostly the owner's newest. */
function conversationOf({ model }: World, { conversation, owner }: Step): string {
  const mine = model.live(owner);
  return mine[conversation]?.id ?? mine.at(-1)?.id ?? model.ids().at(conversation) ?? "unknown";
}

/** The newest answer, an older one, one of another conversation, or none. */
function answerOf(world: World, step: Step): string | null {
  const id = conversationOf(world, step);
  const leaf = world.model.live(step.owner).find((one) => one.id === id)?.leafId ?? null;
  if (step.place < 6) return leaf;
  if (step.place === 6) return null;
  return world.model.turnIds().at(5 - step.place) ?? leaf;
}

function byId<T extends { readonly id: string }>(all: readonly T[]): readonly T[] {
  return all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
