// The API behind the published port: what a call without a key gets, and that the limits hold.
// BASE_URL is where it is; CHECK_ROUND holds the settings that differ from docker-compose.yml.
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";

const { BASE_URL, CHECK_ROUND = "" } = process.env;
const settings = Object.fromEntries(CHECK_ROUND.split(" ").map((word) => word.split("=", 2)));
const route = settings.ROUTE ?? "api";
const perMinute = Number(settings.MINUTE_LIMIT ?? 3);
const perSecond = Number(settings.SECOND_LIMIT ?? 1);
/** More than a second, as windows slide. */
const PAUSE_MS = 1_200;
/** How many calls are made when no limit is set: more than the limits that would be there. */
const UNLIMITED_CALLS = 5;

async function ask() {
  const answer = await fetch(new URL(route, BASE_URL), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user_content: "Why is the sky blue?" }),
  });
  const body = await answer.json();
  console.log(answer.status, JSON.stringify(body));
  assert.equal(body.code, answer.status);
  assert.equal(body.msg, "failed");
  assert.equal(typeof body.data.response, "string");
  return answer;
}

if (perSecond === 1) {
  const statuses = (await Promise.all([ask(), ask()])).map((answer) => answer.status);
  assert.deepEqual(statuses.sort(), [400, 429], "of two calls at once, one is too many");
} else {
  assert.equal((await ask()).status, 400, "no key anywhere");
}
for (let call = 2; call <= (perMinute || UNLIMITED_CALLS); call += 1) {
  if (perSecond > 0) await wait(PAUSE_MS);
  assert.equal((await ask()).status, 400, "no key anywhere");
}
if (perMinute > 0) {
  await wait(PAUSE_MS);
  const refused = await ask();
  assert.equal(refused.status, 429, "one call too many in a minute");
  assert.ok(Number(refused.headers.get("retry-after")) > 1, "it says how long to wait");
}
