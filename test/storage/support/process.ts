import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../src/clock.ts";
import { toProxyError } from "../../../src/core/errors.ts";
import { openStorage, type Storage } from "../../../src/storage/open.ts";
import { entry, tokenEntry, wish } from "./calls.ts";
import type { Work } from "./processes.ts";

/** Runs in a process of its own; see processes.ts. */
const [work] = (await once(process, "message")) as [Work];
if (work.kind === "migrate") process.send?.("ready");
if (work.kind === "migrate") await once(process, "message");
const storage = await openStorage({
  ...work.place,
  clock: systemClock,
  // Some of the processes are killed: a short silence must be enough to know.
  heartbeatMs: 50,
  staleMs: work.kind === "calls" ? 400 : 60_000,
});
if (work.kind === "reserve") await reserveAtOnce(storage, work);
if (work.kind === "names") await takeNames(storage, work);
if (work.kind === "calls") await callWithoutEnd(storage, work);
if (work.kind === "migrate") process.send?.("migrated");
await storage.close();
process.disconnect?.();

/** Tries as many reservations at once as it is told, for one token or several in turn, and says how many it got. */
async function reserveAtOnce(storage: Storage, { secret, parallel }: Work): Promise<void> {
  const secrets = secret.split(",");
  const found = await Promise.all(secrets.map((one) => storage.tokens.find(one)));
  const tokens = found.flatMap((one) => (one === null ? [] : [one.token]));
  process.send?.("ready");
  await once(process, "message");
  const results = await Promise.all(
    Array.from({ length: parallel }, (_, turn) => {
      const token = tokens[turn % tokens.length];
      if (token === undefined) throw new Error("no such token");
      return storage.ledger.reserve(wish(token, { at: Date.now(), tokens: 10, money: 1n }));
    }),
  );
  process.send?.(results.filter((result) => result.admitted).length);
  // Leaving gives up what is reserved, so it waits until that has been looked at.
  await once(process, "message");
}

/** Tries to give names to tokens, one after the other, and says how many it could. */
async function takeNames(storage: Storage, { parallel: tries }: Work): Promise<void> {
  process.send?.("ready");
  await once(process, "message");
  const refused: unknown[] = [];
  for (let at = 0; at < tries; at += 1) {
    const name = `name ${at}`;
    await storage.tokens
      .create({ name })
      .catch((error: unknown) => refused.push(toProxyError(error).code));
  }
  process.send?.({ taken: tries - refused.length, refused });
}

/** Makes calls until it is killed, and says which of them were settled. One is open all the while. */
async function callWithoutEnd(storage: Storage, { secret, parallel, name }: Work): Promise<void> {
  const found = await storage.tokens.find(secret);
  if (found === null) throw new Error("no such token");
  const { token } = found;
  process.send?.("ready");
  let calls = 0;
  const openMs = (lane: number) => (lane === 1 ? 60_000 : lane % 4);
  await Promise.all(
    Array.from({ length: parallel }, async (_, lane) => {
      for (;;) {
        const facts = { requestId: `${name}-${calls++}`, at: Date.now() };
        if (lane % 2 === 0) {
          await storage.ledger.settle(entry(facts), null);
        } else {
          const result = await storage.ledger.reserve(wish(token, facts));
          if (!result.admitted) throw new Error("the quota is too small for this test");
          await sleep(openMs(lane));
          await storage.ledger.settle(tokenEntry(token, facts), result.reservation);
        }
        process.send?.(facts.requestId);
      }
    }),
  );
}
