import type { Alert, AlertStore, KeptAlert, RaiseAlert } from "../core/alerts.ts";
import type { Clock } from "../core/ports.ts";
import { bodyOf, toldOf } from "./body.ts";
import { subjectOf } from "./subjects.ts";

/** Alerts that the database has yet to take. Further ones are lost, which is logged. */
const MAX_UNKEPT = 1_000;

export interface AlertsOptions {
  readonly store: Pick<AlertStore, "keep">;
  /** Sends what is due; null where there is nobody to tell. */
  readonly deliver: (() => Promise<void>) | null;
  readonly clock: Pick<Clock, "wallMs">;
  readonly newId: () => string;
  /** Called once for an alert that no instance has told before. */
  readonly onNew: (alert: Alert) => void;
  readonly onLost: (alert: Alert) => void;
  readonly onError: (error: unknown) => void;
}

export interface Alerts {
  readonly alert: RaiseAlert;
  /** To be called now and then: keeps and delivers what waits. Never rejects. */
  work(): Promise<void>;
}

interface Unkept {
  readonly alert: Alert;
  readonly kept: KeptAlert;
}

/** Keeps alerts in the database, where all instances see which were told, and delivers them from there. */
export function createAlerts(options: AlertsOptions): Alerts {
  const { store, deliver, clock, onNew, onLost, onError } = options;
  let unkept: Unkept[] = [];

  const keepOne = async ({ alert, kept }: Unkept): Promise<void> => {
    const result = await store.keep(kept, deliver !== null);
    if (result === "new") onNew(alert);
    else if (result === "full") onLost(alert);
  };
  const keepAll = oneAtATime(async () => {
    for (let next = unkept[0]; next !== undefined; next = unkept[0]) {
      await keepOne(next);
      unkept = unkept.slice(1);
    }
  }, onError);
  const deliverAll = oneAtATime(async () => deliver?.(), onError);
  const work = async (): Promise<void> => {
    await keepAll();
    // a receiver that hangs does not keep alerts from the database
    await deliverAll();
  };

  return {
    alert(alert) {
      if (unkept.length >= MAX_UNKEPT) return onLost(alert);
      const nowMs = clock.wallMs();
      const shown = { body: bodyOf(alert, nowMs), told: toldOf(alert, nowMs) };
      unkept.push({ alert, kept: { ...subjectOf(alert, nowMs), id: options.newId(), ...shown } });
      // whoever raises it waits for nothing of this
      if (unkept.length === 1) setImmediate(() => void work());
    },
    work,
  };
}

/** Whoever asks while it runs waits for that run. */
function oneAtATime(
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let working: Promise<void> | null = null;
  return () => {
    working ??= work()
      .catch(onError)
      .finally(() => {
        working = null;
      });
    return working;
  };
}
