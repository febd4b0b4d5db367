/** Groups of tokens, over /admin and by the command. */
import { describe, expect, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { parleyHere, settingsFor } from "./support.ts";
import { startAdmin } from "./support-http.ts";

const NONE = {
  requests_per_day: null,
  requests_per_month: null,
  tokens_per_day: null,
  tokens_per_month: null,
  money_per_day: null,
  money_per_month: null,
};

describe.each(kinds)("groups on %s", (kind) => {
  test("live from creation to removal over /admin", async () => {
    const { send } = await startAdmin(await settingsFor(kind));
    const made = await send("POST", "/groups", { name: "class 5/b", money_per_month: "50" });
    const group = {
      ...NONE,
      name: "class 5/b",
      comment: "",
      created_at: expect.any(String),
      money_per_month: "50",
      tokens: 0,
    };
    expect([made.status, made.json]).toEqual([201, group]);
    const path = "/groups/class%205%2Fb";
    const ann = Object((await send("POST", "/tokens", { name: "ann", group: "class 5/b" })).json);
    expect(ann.group).toBe("class 5/b");
    const changed = await send("PATCH", path, { comment: "of 2027", requests_per_day: 9 });
    const after = { ...group, comment: "of 2027", requests_per_day: 9, tokens: 1 };
    expect([changed.status, changed.json]).toEqual([200, after]);
    // a proxy that takes a prefix away decodes the slash
    expect((await send("GET", "/groups/class%205/b")).json).toMatchObject(after);
    expect((await send("GET", "/groups")).json).toEqual({ groups: [after], next: null });
    expect((await send("GET", path)).json).toEqual({
      ...after,
      quotas: [
        { quota: "requests", period: "day", limit: 9, used: 0, resets_at: expect.any(String) },
        { quota: "money", period: "month", limit: "50", used: "0", resets_at: expect.any(String) },
      ],
    });
    expect([(await send("DELETE", path)).json, (await send("DELETE", path)).status]).toMatchObject([
      { error: { code: "group_in_use", tokens: 1 } },
      409,
    ]);
    const left = await send("PATCH", `/tokens/${ann.id}`, { group: null });
    expect(left.json).toMatchObject({ group: null });
    expect((await send("DELETE", path)).status).toBe(200);
    expect((await send("GET", path)).json).toMatchObject({ error: { code: "group_unknown" } });
  });

  test("go by the command, with none for what is taken away", async () => {
    const env = await settingsFor(kind);
    const run = (...args: string[]) => parleyHere(env, args);
    const quotas = ["--tokens-per-day", "500", "--money-per-month", "50"];
    expect((await run("group", "create", "class", ...quotas)).out).toContain("tokens per day");
    await run("token", "create", "--name", "ann", "--group", "class");
    const set = await run("group", "set", "class", "--tokens-per-day", "none", "--json");
    expect(set.json()).toMatchObject({ tokens_per_day: null, money_per_month: "50", tokens: 1 });
    expect((await run("group", "list")).out).toMatch(/^NAME +TOKENS.*\nclass +1 +50/);
    expect((await run("group", "show", "class")).out).toMatch(/money +month +50 +0 /);
    const refused = await run("group", "remove", "class");
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Tokens: 1")]);
    const [token] = (await run("token", "list", "--json")).json<{ id: string; group: string }[]>();
    expect(token?.group).toBe("class");
    await run("token", "update", token?.id ?? "", "--group", "none");
    expect((await run("group", "remove", "class")).out).toBe("Removed the group class.\n");
  });
});

test("mistakes name what is wrong", async () => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  await send("POST", "/groups", { name: "class" });
  const bob = Object((await send("POST", "/tokens", { name: "bob" })).json);
  const cases = [
    [await send("POST", "/groups", {}), 400, "field_missing", "name"],
    [await send("POST", "/groups", { name: "none" }), 400, "field_type", "name"],
    // no address could name it
    [await send("POST", "/groups", { name: ".." }), 400, "field_type", "name"],
    [await send("POST", "/groups", { name: "class" }), 409, "group_name_taken", "name"],
    [
      await send("POST", "/groups", { name: "x", hour_limit: 1 }),
      400,
      "field_unknown",
      "hour_limit",
    ],
    [await send("PATCH", "/groups/x", {}), 404, "group_unknown", undefined],
    [
      await send("PATCH", "/groups/class", { money_per_day: "x" }),
      400,
      "field_type",
      "money_per_day",
    ],
    [await send("POST", "/tokens", { name: "ann", group: "x" }), 404, "group_unknown", "group"],
    [await send("PATCH", `/tokens/${bob.id}`, { group: "x" }), 404, "group_unknown", "group"],
  ] as const;
  for (const [reply, status, code, field] of cases) {
    const { error } = reply.json as { error: object };
    expect([reply.status, error]).toEqual([
      status,
      { code, message: expect.any(String), ...(field !== undefined && { field }) },
    ]);
  }
});

test("a token like another is in its group, unless it is told otherwise", async () => {
  const { send } = await startAdmin(await settingsFor("sqlite"));
  for (const name of ["class", "other"]) await send("POST", "/groups", { name });
  const { id } = Object((await send("POST", "/tokens", { name: "ann", group: "class" })).json);
  const groupOf = async (fields: object) => {
    const made = await send("POST", "/tokens", { like: id, ...fields });
    return Object(made.json).group;
  };
  expect(await groupOf({ name: "a" })).toBe("class");
  expect(await groupOf({ name: "b", group: "other" })).toBe("other");
  expect(await groupOf({ name: "c", group: null })).toBeNull();
});
