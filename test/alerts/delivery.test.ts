import { createServer } from "node:http";
import { expect, test } from "vitest";
import { createAlerts } from "../../src/alerts/alerts.ts";
import { createDelivery } from "../../src/alerts/delivery.ts";
import { createPost } from "../../src/alerts/post.ts";
import { signedHeaders } from "../../src/alerts/sign.ts";
import { subjectOf } from "../../src/alerts/subjects.ts";
import type { Alert, KeptAlert } from "../../src/core/alerts.ts";
import { noon, standingClock } from "../storage/support/calls.ts";
import { createDatabase } from "../storage/support/databases.ts";
import { closeAfterFile } from "../support/cleanup.ts";
import { deadline } from "../support/http.ts";
import { startReceiver } from "../support/webhooks.ts";

const shared: Alert = { type: "token.shared", token: { id: "a", name: "Ann" }, networks: 9 };

async function start() {
  const clock = standingClock();
  const database = await createDatabase("sqlite");
  closeAfterFile({ close: database.drop });
  const { alerts: store } = await database.open({ clock });
  return { clock, store };
}

test("the signature is the one of Standard Webhooks", () => {
  // the example of its specification
  const secret = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64");
  const body = '{"test": 2432232314}';
  expect(signedHeaders(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", body, 1_614_265_330_000)).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

test("a webhook is tried eleven times with growing waits, then given up", async () => {
  const { clock, store } = await start();
  const givenUp: unknown[] = [];
  const sent: number[] = [];
  const run = createDelivery({
    store,
    post: { send: async () => sent.push(clock.wallMs()) && 500, close: async () => undefined },
    wallMs: clock.wallMs,
    random: () => 0.5,
    onGivenUp: ({ id, tries }, reason) => givenUp.push({ id, tries, reason }),
  });
  const kept: KeptAlert = { id: "msg_1", ...subjectOf(shared, noon), body: "{}" };
  await store.keep(kept, true);
  for (let hours = 0; hours < 80 && givenUp.length === 0; hours += 0) {
    await run();
    clock.set(clock.wallMs() + 5_000);
    if (clock.wallMs() > noon + 86_400_000 * 2) break;
  }
  expect(givenUp).toEqual([{ id: "msg_1", tries: 10, reason: { status: 500 } }]);
  expect(sent.map((at) => (at - noon) / 1_000)).toEqual([
    ...[0, 5, 35, 155, 755, 2_555, 6_155, 13_355, 27_755, 56_555, 114_155],
  ]);
  await run();
  expect(sent).toHaveLength(11);
});

test("alerts wait in memory while the database takes none, in a bounded number", async () => {
  const { clock, store } = await start();
  let isAway = true;
  const lost: Alert[] = [];
  const errors: unknown[] = [];
  let made = 0;
  const { alert, work } = createAlerts({
    store: {
      keep: (...given) => (isAway ? Promise.reject(new Error("away")) : store.keep(...given)),
    },
    deliver: null,
    clock,
    newId: () => `msg_${made++}`,
    onNew: () => undefined,
    onLost: (one) => lost.push(one),
    onError: (error) => errors.push(error),
  });
  for (let at = 0; at < 1_003; at += 1) {
    alert({ ...shared, token: { id: `${at}`, name: "Ann" } });
  }
  expect(lost).toHaveLength(3);
  await work();
  expect(errors).toHaveLength(1);
  isAway = false;
  await work();
  alert(shared);
  await work();
  expect(lost).toHaveLength(3);
  expect(await store.keep({ id: "x", ...subjectOf(shared, noon), body: "" }, false)).toBe("known");
});

test("a receiver that hangs is left at once when the server ends", async () => {
  const receiver = closeAfterFile(await startReceiver());
  receiver.respond = () => undefined;
  const secret = Buffer.from("0123456789abcdef0123456789abcdef");
  const { url } = receiver;
  const post = createPost({ url: new URL(url), secret, userAgent: "parley", wallMs: Date.now });
  const sending = post.send("msg_1", "{}").then(
    () => "sent",
    () => "ended",
  );
  while (receiver.received.length === 0 && receiver.forged === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await deadline(post.close(), 1_000, "the end");
  expect(await deadline(sending, 1_000, "its failure")).toBe("ended");
});

test("an answer without end is not read", async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200);
    const pour = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", pour);
    pour();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closeAfterFile({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const { port } = Object(server.address());
  const secret = Buffer.from("0123456789abcdef0123456789abcdef");
  const url = new URL(`http://127.0.0.1:${port}/`);
  const post = createPost({ url, secret, userAgent: "parley", wallMs: Date.now });
  expect(await deadline(post.send("msg_1", "{}"), 5_000, "a status")).toBe(200);
  await post.close();
});
