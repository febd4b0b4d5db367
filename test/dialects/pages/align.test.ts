/** Amounts of a column, whose points stand below each other. */
import { expect, test } from "vitest";
import { padsOf } from "../../../pages/shared/align.ts";

test.each<[cells: readonly unknown[], pads: readonly (string | undefined)[]]>([
  [
    ["$1.50", "$0.00012", "$12.125"],
    ["000", undefined, "00"],
  ],
  [
    ["unknown", "$1.5", "–", null],
    [undefined, undefined, undefined, undefined],
  ],
  [
    ["12", "1,048.5"],
    [undefined, undefined],
  ],
  [[], []],
])("%j", (cells, pads) => {
  expect(padsOf(cells)).toEqual(pads);
});
