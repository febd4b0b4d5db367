/** What the holders of a group's tokens see of its quotas. */
import { expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { admin, bearer, errorOf, type Issued, question, startTokenScene } from "./support.ts";

test("a full quota of the group refuses all of its tokens, and says whose it is", async () => {
  const scene = await startTokenScene({ HOUR_LIMIT: "50" });
  const { origin } = scene.parley;
  await admin(origin, "POST", "/groups", { name: "class", requests_per_day: 3 });
  const tokens: Issued[] = [];
  for (let one = 0; one < 2; one += 1) tokens.push(await scene.issue({ group: "class" }));
  const ask = (turn: number, language = "en") => {
    const headers = { ...bearer(tokens[turn % 2]?.token ?? ""), "accept-language": language };
    return postJson(scene.chat, question, { headers });
  };
  const replies = await Promise.all(Array.from({ length: 10 }, (_, turn) => ask(turn)));
  const refused = replies.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(7);
  expect(scene.upstream.requests).toHaveLength(3);
  for (const reply of refused) {
    expect(errorOf(reply)).toMatchObject({
      type: "insufficient_quota",
      code: "insufficient_quota",
      quota: "requests",
      period: "day",
      of: "group",
      group: "class",
      reset_at: expect.stringMatching(/T00:00:00.000Z$/),
    });
    expect(errorOf(reply).message).toContain("your group class");
  }
  expect(errorOf(await ask(0, "zh-TW")).message).toContain("群組 class");
  // the other token's windows and the address have their calls back
  const { json } = await postJson(`${origin}/whoami`, undefined, { method: "GET" });
  expect(json).toMatchObject({ windows: [{ window: "hour", remaining: 47 }] });
});

test("a token's own quota refuses by itself, and takes nothing from the group", async () => {
  const scene = await startTokenScene();
  const { origin } = scene.parley;
  await admin(origin, "POST", "/groups", { name: "class", requests_per_day: 2 });
  const small = await scene.issue({ group: "class", requests_per_day: 1 });
  const other = await scene.issue({ group: "class" });
  const ask = ({ token }: typeof small) =>
    postJson(scene.chat, question, { headers: bearer(token) });
  expect([(await ask(small)).status, errorOf(await ask(small))]).toMatchObject([
    200,
    { of: "token" },
  ]);
  expect([(await ask(other)).status, errorOf(await ask(other))]).toMatchObject([
    200,
    { of: "group" },
  ]);
});
