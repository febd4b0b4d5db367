import { beforeAll, describe } from "vitest";
import { createSharedAmounts } from "../../../src/limits/shared/amounts.ts";
import { testAmounts } from "../../support/amounts-suite.ts";
import { closeAfterFile } from "../../support/cleanup.ts";
import { type DirectStore, openDirectStore } from "../../support/direct-store.ts";

let direct: DirectStore;
let opened = 0;

describe("amounts in the store", { tags: "redis" }, () => {
  beforeAll(async () => {
    direct = closeAfterFile(await openDirectStore());
  });

  testAmounts(() => {
    // virtual time begins late, because 0 stands for the time of the store
    const clock = { nowMs: 1_800_000_000_000 };
    opened += 1;
    const prefix = `parley:${opened}:`;
    const amounts = createSharedAmounts({
      store: { ...direct.store, key: (kind, name) => `${prefix}${kind}:{${name}}` },
      clock: { monotonicMs: () => clock.nowMs },
      refusesAlone: false,
      nowUs: () => clock.nowMs * 1_000,
    });
    return { clock, amounts };
  }, 3);
});
