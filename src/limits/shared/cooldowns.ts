import type { Clock, Cooldowns } from "../../core/ports.ts";
import { BEAT_TAG, type Beat } from "./beat.ts";
import { WRITE_RESTS } from "./cooldowns-script.ts";
import { STORE_TIME } from "./script-time.ts";
import { AWAY, type Reply, type RunNow, type SharedStore } from "./store.ts";

export interface SharedCooldownsOptions {
  readonly store: SharedStore;
  readonly beat: Pick<Beat, "bring">;
  readonly clock: Pick<Clock, "monotonicMs">;
}

interface Rest {
  untilMs: number;
  /** This copy has started it: a store that lost it gets it again. */
  own: boolean;
}

/**
 * Rests that all copies share: own changes hold at once, those of others within a second. Read from
 * memory, which is bounded by the ids, the operator's keys, and by what the store keeps.
 */
export function createSharedCooldowns({ store, beat, clock }: SharedCooldownsOptions): Cooldowns {
  const rests = new Map<string, Rest>();
  // changes of this copy by id, until the store has answered: what it tells until then is older
  const unsaved = new Map<string, object>();
  const keys = [store.key("rests", BEAT_TAG)];
  let told: ReadonlyMap<string, number> = new Map();

  const remainingMs = (id: string) =>
    Math.max(0, (rests.get(id)?.untilMs ?? 0) - clock.monotonicMs());
  const save = async (ids: readonly string[], run: RunNow) => {
    if (ids.length === 0) return;
    const sent = ids.map((id) => [id, unsaved.get(id)] as const);
    const args = ids.flatMap((id) => [id, Math.ceil(remainingMs(id))]);
    const reply = await run(WRITE_RESTS, keys, [STORE_TIME, ...args]);
    if (reply === AWAY) return;
    for (const [id, change] of sent) if (unsaved.get(id) === change) unsaved.delete(id);
  };
  const change = (id: string) => {
    unsaved.set(id, {});
    void save([id], store.run);
  };
  /** Rests of this copy that the store had before it was away, and has no more. */
  const isLost = (id: string) =>
    !told.has(id) && rests.get(id)?.own === true && remainingMs(id) > 0;
  const forget = (id: string) => {
    if (unsaved.has(id) || told.has(id)) return;
    if (!(store.isAway() && isLost(id))) rests.delete(id);
  };
  const take = (id: string, forMs: number) => {
    if (unsaved.has(id)) return;
    rests.set(id, { untilMs: clock.monotonicMs() + forMs, own: rests.get(id)?.own ?? false });
  };

  store.onReturn((runNow) => {
    const lost = [...rests.keys()].filter(isLost);
    return save([...new Set([...unsaved.keys(), ...lost])], runNow);
  });
  beat.bring("rests", {
    heard(reply) {
      told = pairsOf(reply);
      for (const id of rests.keys()) forget(id);
      for (const [id, forMs] of told) take(id, forMs);
      void save([...unsaved.keys()], store.run);
    },
  });

  return {
    remainingMs,
    start(id, forMs) {
      rests.set(id, { untilMs: clock.monotonicMs() + forMs, own: true });
      change(id);
    },
    end(id) {
      rests.delete(id);
      change(id);
    },
  };
}

/** Milliseconds by id, as a beat brings them. */
function pairsOf(reply: readonly Reply[]): ReadonlyMap<string, number> {
  const pairs = new Map<string, number>();
  for (let index = 0; index + 1 < reply.length; index += 2) {
    pairs.set(String(reply[index]), Number(reply[index + 1]));
  }
  return pairs;
}
