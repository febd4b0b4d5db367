/** Finding tokens: what `GET /admin/tokens` lists, in which order, and how its pages follow each other. */
import { describe, expect, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { openDatabaseOf } from "./recorded.ts";
import { settingsFor } from "./support.ts";
import { type Send, startAdmin } from "./support-http.ts";

interface Listed {
  readonly tokens: readonly { readonly id: string; readonly name: string }[];
  readonly next_cursor: string | null;
  readonly next: string | null;
}

const list = async (send: Send, query = "") => {
  const reply = await send("GET", `/tokens${query}`);
  expect(reply.status, reply.text).toBe(200);
  return reply.json as Listed;
};
const namesOf = ({ tokens }: Listed) => tokens.map(({ name }) => name);

async function walk(send: Send, query: string, parameter: "cursor" | "after" = "cursor") {
  const names: string[] = [];
  for (let next: string | null = "first"; next !== null; ) {
    const page: Listed = await list(
      send,
      `?${query}${next === "first" ? "" : `&${parameter}=${next}`}`,
    );
    names.push(...namesOf(page));
    next = parameter === "cursor" ? page.next_cursor : page.next;
  }
  return names;
}

describe.each(kinds)("the tokens on %s", (kind) => {
  test("are listed newest first, oldest first or by name, in pages that follow each other", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    const names = ["Émile", "bob", "Alice", "alice2", "Жанна", "Zoe", "carol"];
    for (const name of names) await send("POST", "/tokens", { name });
    const byName = ["Alice", "alice2", "bob", "carol", "Zoe", "Émile", "Жанна"];
    for (const limit of [1, 2, 3, 7, 100]) {
      expect(await walk(send, `limit=${limit}`)).toEqual(names.toReversed());
      expect(await walk(send, `limit=${limit}`, "after")).toEqual(names.toReversed());
      expect(await walk(send, `order=oldest&limit=${limit}`)).toEqual(names);
      expect(await walk(send, `order=name&limit=${limit}`)).toEqual(byName);
    }
  }, 30_000);

  test("are found by a part of their name, comment, hint or id, in any case and literally", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    const comment = "100% of _Кафедра_\\";
    const made = await send("POST", "/tokens", { name: "Ärztin", comment });
    const { id, hint } = made.json as { id: string; hint: string };
    await send("POST", "/tokens", { name: "1000 of them" });
    for (const q of ["äRZ", "кафедра", "100%", "_К", "_\\", id.slice(-8), hint.slice(-4)]) {
      expect(namesOf(await list(send, `?q=${encodeURIComponent(q)}`)), q).toEqual(["Ärztin"]);
    }
    expect(namesOf(await list(send, "?q=00"))).toEqual(["1000 of them", "Ärztin"]);
    expect(namesOf(await list(send, "?q=%25_"))).toEqual([]);
  }, 30_000);

  test("are found by their state", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    const ids: Record<string, string> = {};
    for (const name of ["valid", "disabled", "expired", "revoked"]) {
      const made = await send("POST", "/tokens", { name });
      ids[name] = (made.json as { id: string }).id;
    }
    await send("POST", `/tokens/${ids.disabled}/disable`);
    await send("DELETE", `/tokens/${ids.revoked}`);
    const storage = await openDatabaseOf(env);
    await storage.tokens.update(ids.expired ?? "", { expiresAt: Date.now() - 1_000 });
    await storage.close();
    for (const state of Object.keys(ids)) {
      expect(namesOf(await list(send, `?state=${state}`))).toEqual([state]);
    }
  }, 30_000);

  test("are found by their group", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    for (const name of ["class", "class 2"]) await send("POST", "/groups", { name });
    for (const [name, group] of [
      ["Xaver", "class"],
      ["b", "class 2"],
      ["c", "class"],
      ["d", null],
    ]) {
      await send("POST", "/tokens", { name, group });
    }
    expect(namesOf(await list(send, "?group=class"))).toEqual(["c", "Xaver"]);
    expect(namesOf(await list(send, "?group=class&q=xav"))).toEqual(["Xaver"]);
    expect(await walk(send, "group=class&limit=1")).toEqual(["c", "Xaver"]);
    expect(namesOf(await list(send, "?group=nobody"))).toEqual([]);
  }, 30_000);

  test("are searched a part at a time: a page may be empty before the last one", async () => {
    const env = await settingsFor(kind);
    const { send } = await startAdmin(env);
    await send("POST", "/tokens", { name: "needle" });
    const storage = await openDatabaseOf(env);
    for (let part = 0; part < 21; part += 1) {
      const names = Array.from({ length: 1_000 }, (_, at) => ({ name: `straw ${part}-${at}` }));
      await storage.tokens.createAll(names);
    }
    await storage.close();
    const first = await list(send, "?q=needle");
    expect([first.tokens, typeof first.next_cursor]).toEqual([[], "string"]);
    expect(await walk(send, "q=needle")).toEqual(["needle"]);
  }, 60_000);
});

test("an id after which to list means the oldest first, as before there were cursors", async () => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  for (const name of ["a", "b", "c"]) await send("POST", "/tokens", { name });
  const [oldest] = (await list(send, "?order=oldest")).tokens;
  expect(namesOf(await list(send, `?after=${oldest?.id}`))).toEqual(["b", "c"]);
});

test.each([
  ["cursor=x", "field_type", "cursor"],
  ["cursor=bnVsbA", "field_type", "cursor"],
  ["order=size", "field_choice", "order"],
  ["state=lost", "field_choice", "state"],
  ["limit=1001", "field_range", "limit"],
  [`q=${"x".repeat(201)}`, "field_too_long", "q"],
  ["sort=name", "field_unknown", "sort"],
])("a list with %s is refused", async (query, code, field) => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  const reply = await send("GET", `/tokens?${query}`);
  expect([reply.status, reply.json]).toMatchObject([400, { error: { code, field } }]);
});

test("a cursor of another order is refused", async () => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  for (const name of ["a", "b"]) await send("POST", "/tokens", { name });
  const { next_cursor } = await list(send, "?order=name&limit=1");
  const reply = await send("GET", `/tokens?order=newest&cursor=${next_cursor}`);
  expect(reply.json).toMatchObject({ error: { code: "field_type", field: "cursor" } });
});
