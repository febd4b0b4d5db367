import { expect, test } from "vitest";
import { createGatheredText } from "../../../src/core/call/messages.ts";

test.each([0, 1, 255, 256, 257, 1_000])(
  "%i pieces add up, also when looked at between",
  (count) => {
    const text = createGatheredText();
    let expected = "";
    for (let index = 0; index < count; index += 1) {
      text.add(`${index} `);
      expected += `${index} `;
      if (index % 100 === 0) expect(text.whole()).toBe(expected);
    }
    expect(text.whole()).toBe(expected);
  },
);
