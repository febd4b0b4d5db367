import { expect, test } from "vitest";
import { readConfig } from "../../src/config/read.ts";
import { upstreamUrl } from "../../src/config/upstream.ts";

test.each([
  [{}, "https://api.openai.com/v1"],
  [{ OPENAI_KIND: "azure" }, "https://api.openai.com/v1"],
  [{ OPENAI_KIND: "anthropic" }, "https://api.anthropic.com/v1"],
  [
    { OPENAI_KIND: "anthropic", OPENAI_URL: "https://api.openai.com/v1" },
    "https://api.anthropic.com/v1",
  ],
  [
    { OPENAI_KIND: "anthropic", OPENAI_URL: "https://claude.example/v1" },
    "https://claude.example/v1",
  ],
])("%o means %s", (env, url) => {
  const read = readConfig(env, () => "");
  if ("problems" in read) throw new Error("wrong settings");
  expect(upstreamUrl(read.config).href).toBe(url);
});
