import type {
  GroupChanges,
  GroupDetails,
  GroupQuery,
  GroupStore,
} from "../../core/accounts/groups.ts";
import { noQuotas, periodsAt, quotasAfter } from "../../core/accounts/quota.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { quotaFacts } from "../changes/facts.ts";
import { type NewChange, recordChanges } from "../changes/record.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query, requireStorable, type Transaction } from "../driver/driver.ts";
import { newId } from "../driver/ids.ts";
import { type Builder, pageSize } from "../driver/queries.ts";
import { findGroup, type StoredGroup } from "./group-row.ts";
import { oneAtATime } from "./token-lock.ts";
import { MAX_COMMENT_CHARACTERS, quotasOf, quotasText } from "./token-row.ts";

const MAX_LISTED = 1_000;

/** Groups change in the turn of `oneAtATime`, so none is removed while a token is put into it. */
export function createGroups(
  database: Database,
  clock: Pick<Clock, "wallMs">,
  /** Called after each change. */
  forget: () => void,
): GroupStore {
  const { driver, builder } = database;
  const note = (...change: Parameters<typeof groupChange>) =>
    recordChanges(builder, clock.wallMs(), [groupChange(...change)]);
  const inTurn = (work: () => Transaction<GroupDetails | null>) =>
    driver
      .transaction(function* () {
        yield* oneAtATime(database);
        return yield* work();
      })
      .finally(forget);
  return {
    async create({ name, ...chosen }) {
      const nowMs = clock.wallMs();
      const id = newId(nowMs);
      const row = {
        id,
        name: requireStorable("name", name),
        created_at: nowMs,
        ...chosenColumns({ comment: "", quotas: quotasText(noQuotas) }, chosen),
      };
      await inTurn(function* () {
        if ((yield* findGroup(builder, name)) !== null) throw nameTaken(name);
        yield* query(builder.insertInto("token_groups").values(row).compile());
        const use = { token_id: id, ...periodsAt(nowMs) };
        yield* query(builder.insertInto("quota_use").values(use).compile());
        yield* note("create", null, row);
        return null;
      });
      return groupOf(row, 0);
    },
    update: (name, changes) =>
      inTurn(function* () {
        const found = yield* findGroup(builder, name);
        if (found === null) return null;
        const set = chosenColumns(found, changes);
        const update = builder.updateTable("token_groups").set(set).where("id", "=", found.id);
        yield* query(update.compile());
        yield* note("update", found, { ...found, ...set });
        return groupOf({ ...found, ...set }, yield* tokensIn(builder, found.id));
      }),
    show: (name) =>
      driver.run(function* () {
        const found = yield* findGroup(builder, name);
        return found && groupOf(found, yield* tokensIn(builder, found.id));
      }),
    list: (wanted = {}) => listGroups(database, wanted),
    remove: (name) =>
      inTurn(function* () {
        const found = yield* findGroup(builder, name);
        if (found === null) return null;
        yield* requireEmpty(builder, found);
        const leave = builder.updateTable("tokens").set({ group_id: null });
        yield* query(leave.where("group_id", "=", found.id).compile());
        // its counters stay: calls may be open
        yield* query(builder.deleteFrom("token_groups").where("id", "=", found.id).compile());
        yield* note("remove", found, null);
        return groupOf(found, 0);
      }),
  };
}

function groupChange(
  action: "create" | "update" | "remove",
  before: StoredGroup | null,
  after: StoredGroup | null,
): NewChange {
  const facts = (group: StoredGroup | null) =>
    group && { comment: group.comment, ...quotaFacts(quotasOf(group.quotas)) };
  const subject = (after ?? before)?.name ?? "";
  return { kind: "group", subject, action, before: facts(before), after: facts(after) };
}

async function listGroups(
  { driver, builder }: Database,
  { limit, after }: GroupQuery,
): Promise<readonly GroupDetails[]> {
  let groups = builder
    .selectFrom("token_groups")
    .selectAll()
    .select((groups) =>
      groups
        .selectFrom("tokens")
        .select(({ fn }) => fn.countAll<number>().as("tokens"))
        .whereRef("tokens.group_id", "=", "token_groups.id")
        .where("revoked_at", "is", null)
        .as("tokens"),
    );
  if (after !== undefined) groups = groups.where("name", ">", isStorable(after) ? after : "");
  const page = groups.orderBy("name").limit(pageSize(limit, MAX_LISTED));
  return (await driver.all(page.compile())).map((row) => groupOf(row, Number(row.tokens)));
}

function chosenColumns(
  before: Pick<StoredGroup, "comment" | "quotas">,
  { comment = before.comment, quotas }: GroupChanges,
) {
  return {
    comment: requireStorable("comment", comment ?? "", MAX_COMMENT_CHARACTERS),
    quotas: quotasText(quotasAfter(quotasOf(before.quotas), quotas)),
  };
}

function* tokensIn(builder: Builder, id: string): Transaction<number> {
  const living = builder
    .selectFrom("tokens")
    .select(({ fn }) => fn.countAll<number>().as("tokens"))
    .where("group_id", "=", id)
    .where("revoked_at", "is", null);
  const [counted] = yield* query(living.compile());
  return Number(counted?.tokens ?? 0);
}

function* requireEmpty(builder: Builder, { id, name }: StoredGroup): Transaction<void> {
  const tokens = yield* tokensIn(builder, id);
  if (tokens > 0) throw inUse(name, tokens);
}

function groupOf(
  { id, name, comment, created_at, quotas }: StoredGroup,
  tokens: number,
): GroupDetails {
  return { id, name, comment, createdAt: created_at, quotas: quotasOf(quotas), tokens };
}

function nameTaken(value: string): ProxyError {
  const params = { field: "name", value };
  return new ProxyError("group_name_taken", { params, details: { field: "name" } });
}

function inUse(group: string, tokens: number): ProxyError {
  return new ProxyError("group_in_use", { params: { group, tokens }, details: { tokens } });
}
