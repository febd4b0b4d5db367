/** Two instances under calls while their PostgreSQL crashes, restarts and hangs. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { type RunningParley, startParley } from "../support/parley.ts";
import {
  createPostgresFolder,
  type PostgresFolder,
  type PostgresNode,
} from "../support/postgres-node.ts";
import { OPERATOR_KEY } from "../support/scene.ts";
import { startUpstream } from "../support/upstream.ts";

const ADMIN = "0123456789abcdef";
const admin = { authorization: `Bearer ${ADMIN}` };
const LANES = 3;
/** From the first moment at which the database takes a write again. */
const RECOVERY = { timeout: 5_000, interval: 20 };
const A_WHILE = { timeout: 20_000, interval: 50 };

interface UsageRow {
  readonly request_id: string;
  readonly outcome: string;
  readonly total_tokens: number | null;
}

describe("two instances on one PostgreSQL", { tags: "postgresql" }, () => {
  let folder: PostgresFolder;
  let node: PostgresNode;
  let copies: readonly RunningParley[];
  let databaseUrl: string;
  const answered: string[] = [];
  let headers: Record<string, string>;
  let tokenId: string;
  let isOver = false;
  let lanes: Promise<unknown>;

  const send = (copy: RunningParley, method: string, path: string, body: object | undefined) =>
    postJson(`${copy.origin}${path}`, body, { method, headers: admin });
  const call = async (copy: RunningParley): Promise<number> => {
    const body = { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] };
    const reply = await postJson(`${copy.origin}/v1/chat/completions`, body, { headers });
    if (reply.status === 200) answered.push(String(reply.headers["x-request-id"]));
    return reply.status;
  };
  const serveAgain = () =>
    Promise.all(
      copies.map((copy) => vi.waitFor(async () => expect(await call(copy)).toBe(200), RECOVERY)),
    );
  const rows = async (): Promise<readonly UsageRow[]> => {
    const text = (
      await send(first(), "GET", `/admin/usage/export?format=jsonl&token=${tokenId}`, undefined)
    ).text;
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
  const first = () => {
    const [copy] = copies;
    if (copy === undefined) throw new Error("nothing was started");
    return copy;
  };

  beforeAll(async () => {
    folder = createPostgresFolder();
    await folder.initialize("only");
    node = await folder.node("only");
    await node.start();
    const upstream = closeAfterFile(await startUpstream());
    databaseUrl = `postgres://postgres@127.0.0.1:${node.port}/postgres`;
    const env = {
      DATABASE_URL: databaseUrl,
      ADMIN_TOKEN: ADMIN,
      OPENAI_URL: upstream.url,
      API_KEY: OPERATOR_KEY,
      RETRIES: "0",
    };
    copies = await Promise.all([startParley(env), startParley(env)]);
    for (const copy of copies) closeAfterFile(copy);
    const price = { input: "1", output: "1" };
    await send(first(), "PUT", "/admin/prices/gpt-4o", price);
    const created = await send(first(), "POST", "/admin/tokens", {
      name: "one",
      requests_per_day: 1_000_000,
    });
    const { id, token } = created.json as { id: string; token: string };
    tokenId = id;
    headers = { authorization: `Bearer ${token}` };
    lanes = Promise.all(
      copies.flatMap((copy) =>
        Array.from({ length: LANES }, async () => {
          while (!isOver) await call(copy);
        }),
      ),
    );
  }, 60_000);
  afterAll(async () => {
    isOver = true;
    await lanes;
    await folder.close();
  });

  test("serve again when it has crashed, was restarted and has hung, and no row is lost or doubled", async () => {
    await serveAgain();
    await node.end("SIGKILL");
    expect(await call(first())).toBe(503);
    await node.start();
    await serveAgain();

    await node.end("SIGINT");
    await node.start();
    await serveAgain();

    node.pause();
    expect(await call(first())).toBe(503);
    node.resume();
    await serveAgain();

    isOver = true;
    await lanes;
    await vi.waitFor(async () => {
      const ids = (await rows()).map(({ request_id }) => request_id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(answered.filter((id) => !ids.includes(id))).toEqual([]);
    }, A_WHILE);
    expect(answered.length).toBeGreaterThan(20);
    const storage = await openStorage({ databaseUrl, clock: systemClock, oneOff: true });
    await vi.waitFor(async () => {
      const all = await rows();
      const { day } = await storage.ledger.used(tokenId);
      expect(day.requests).toBe(all.filter(({ outcome }) => outcome !== "refused").length);
      expect(day.tokens).toBe(all.reduce((sum, row) => sum + (row.total_tokens ?? 0), 0));
    }, A_WHILE);
    await storage.close();
  }, 60_000);
});
