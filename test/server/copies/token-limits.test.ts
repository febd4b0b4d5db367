/** Limits hold over several processes: model tokens per minute, open calls, quotas of groups. */
import { expect, test } from "vitest";
import {
  ADMIN_ENV,
  admin,
  bearer,
  type Issued,
  issue,
  MODEL,
  setPrice,
} from "../../dialects/openai/support.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { startCopies } from "../../support/copies.ts";
import { heldUntil } from "../../support/held.ts";
import { openStream, postJson } from "../../support/http.ts";
import { inTurn } from "../../support/in-turn.ts";
import { until } from "../../support/process.ts";
import { startRedis } from "../../support/redis.ts";
import { answer, wantsStream } from "../../support/upstream.ts";

const CALLS = 500;
/** A store that is slow, because the machine is, is away: then copies count by themselves. */
const AT_ONCE = 64;
const ADMITTED = 10;
/** Most tokens of an answer; what is reserved for a question is far less. */
const ANSWER = 4_000;
const LIMIT = ADMITTED * (ANSWER + 200);

test.each(["sqlite", "postgres"] as const)(
  "two copies on %s share what a token has in a minute and at once, and what a group has",
  { tags: ["redis"], timeout: 300_000 },
  async (database) => {
    const { url: REDIS_URL } = closeAfterFile(await startRedis());
    const go = Promise.withResolvers<void>();
    const { copies, upstream } = await startCopies({
      count: 2,
      database,
      env: { ...ADMIN_ENV, REDIS_URL },
      behaviour: () => heldUntil(go.promise),
    });
    const origins = copies.map(({ port }) => `http://127.0.0.1:${port}`);
    const [first = ""] = origins;
    await setPrice(first, MODEL);
    const chat = (turn: number) => `${origins[turn % origins.length]}/v1/chat/completions`;
    const messages = [{ role: "user", content: "Hello?" }];
    const body = { model: MODEL, messages, max_tokens: ANSWER };

    const few = await issue(first, { concurrency: 7 });
    const streams = await Promise.all(
      Array.from({ length: 60 }, (_, turn) =>
        openStream(chat(turn), { ...body, stream: true }, { headers: bearer(few.token) }),
      ),
    );
    expect(streams.filter(({ status }) => status === 200)).toHaveLength(7);
    expect(streams.filter(({ status }) => status === 429)).toHaveLength(53);

    const { token } = await issue(first, { tokens_per_minute: LIMIT });
    const asks = () => upstream.requests.filter((request) => !wantsStream(request)).length;
    const statuses: number[] = [];
    const ask = async (turn: number) => {
      const { status } = await postJson(chat(turn), body, { headers: bearer(token) });
      statuses.push(status);
    };
    const asked = inTurn(CALLS, AT_ONCE, ask);
    const isDecided = () => statuses.length === CALLS - ADMITTED;
    await until(isDecided, { label: "every call is decided", timeoutMs: 60_000 });
    go.resolve();
    await asked;
    expect(statuses.filter((status) => status === 200)).toHaveLength(ADMITTED);
    expect(asks()).toBe(ADMITTED);
    for (const stream of streams) await stream.text();

    await admin(first, "POST", "/groups", { name: "class", requests_per_day: 100 });
    const members: Issued[] = [];
    for (let one = 0; one < 4; one += 1) members.push(await issue(first, { group: "class" }));
    const before = asks();
    const answered: number[] = [];
    await inTurn(CALLS, AT_ONCE, async (turn) => {
      const headers = bearer(members[turn % members.length]?.token ?? "");
      answered.push((await postJson(chat(turn), body, { headers })).status);
    });
    expect(answered.filter((status) => status === 200)).toHaveLength(100);
    expect(asks() - before).toBe(100);
    upstream.behave(answer);
    const again = await postJson(chat(1), body, { headers: bearer(few.token) });
    expect(again.status).toBe(200);
  },
);
