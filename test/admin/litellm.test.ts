/** `price import --format litellm`: what is carried, what is not, and what is refused. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { folder, installed, parleyHere, settingsFor } from "./support.ts";

const LIST = `{
  "sample_spec": { "input_cost_per_token": 0.0, "max_tokens": "LEGACY parameter" },
  "gpt-4o-mini": {
    "input_cost_per_token": 1.5e-07, "cache_read_input_token_cost": 7.5e-08,
    "output_cost_per_token": 6e-07, "litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token_batches": 7.5e-08, "supports_vision": true
  },
  "tiny": { "input_cost_per_token": "0.000000000001", "output_cost_per_token": 1E-5 },
  "text-embedding-3-small": {
    "input_cost_per_token": 2e-08, "output_cost_per_token": 0.0, "mode": "embedding",
    "litellm_provider": "openai"
  },
  "uncached": {
    "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
    "cache_read_input_token_cost": 0, "search_context_cost_per_query": { "low": 0.03 },
    "input_cost_per_token_batches": 5e-07
  },
  "free": { "input_cost_per_token": 0, "output_cost_per_token": 0 },
  "half": { "input_cost_per_token": 1e-06 },
  "answers-free": { "input_cost_per_token": 1e-06, "output_cost_per_token": 0.0, "mode": "chat" },
  "too-fine": { "input_cost_per_token": 1.0000000000000001e-06, "output_cost_per_token": 5.000000000000001e-07 },
  "too-dear": { "input_cost_per_token": 1, "output_cost_per_token": 1 },
  "seeing": { "input_cost_per_image": 0.04, "mode": "chat" }
}`;
const UNPRICED = ["free", "half", "answers-free", "too-fine", "too-dear", "seeing"];

const args = ["price", "import", "-", "--format", "litellm"];

test.each(kinds)(
  "LiteLLM's list on %s: exact prices, and what has none stays unpriced",
  async (kind) => {
    const env = await settingsFor(kind);
    const ran = await parleyHere(env, [...args, "--json"], LIST);
    expect(ran.json()).toEqual({
      added: 4,
      unchanged: 0,
      skipped: [],
      unpriced: UNPRICED,
      left_out: [
        { field: "input_cost_per_token_batches", models: 2 },
        { field: "search_context_cost_per_query", models: 1 },
      ],
    });
    const { json } = await parleyHere(env, ["price", "list", "--json"]);
    const sides = json<Record<string, string>[]>().map((one) => [
      one.model,
      one.input,
      one.cached_input,
      one.output,
    ]);
    expect(sides).toEqual([
      ["gpt-4o-mini", "0.15", "0.075", "0.6"],
      ["text-embedding-3-small", "0.02", null, "0"],
      ["tiny", "0.000001", null, "10"],
      ["uncached", "1", null, "2"],
    ]);
    expect((await parleyHere(env, [...args, "--json"], LIST)).json()).toMatchObject({
      unchanged: 4,
    });
  },
);

test("caches, audio and reasoning come along", async () => {
  const env = await settingsFor("sqlite");
  const list = {
    full: {
      input_cost_per_token: 3e-6,
      output_cost_per_token: 1.5e-5,
      cache_read_input_token_cost: 3e-7,
      cache_creation_input_token_cost: 3.75e-6,
      cache_creation_input_token_cost_above_1hr: 6e-6,
      input_cost_per_audio_token: 4e-5,
      input_cost_per_token_flex: 1.5e-6,
      cache_read_input_token_cost_priority: 6e-7,
      output_cost_per_audio_token: 0,
      output_cost_per_reasoning_token: 5.000000000000001e-7,
    },
  };
  const ran = await parleyHere(env, [...args, "--json"], JSON.stringify(list));
  const left_out = [{ field: "output_cost_per_reasoning_token", models: 1 }];
  expect(ran.json()).toMatchObject({ added: 1, left_out });
  const listed = await parleyHere(env, ["price", "list", "--json"]);
  expect(listed.json()).toMatchObject([
    {
      ...{ input: "3", cached_input: "0.3", output: "15", cache_write: "3.75" },
      ...{ cache_write_1h: "6", audio_input: "40", audio_output: null, reasoning: null },
      ...{ flex_input: "1.5", flex_cached_input: null, priority_cached_input: "0.6" },
    },
  ]);
  const other = await settingsFor("sqlite");
  await parleyHere(other, ["price", "import", "-"], listed.out);
  const shown = await parleyHere(other, ["price", "list"]);
  expect(shown.out).toMatch(
    /OUTPUT {2}CACHE WRITE {2}CACHE WRITE 1H {2}AUDIO INPUT {2}FLEX INPUT {2}PRIORITY CACHED INPUT {2}SINCE\n/,
  );
  const set = ["price", "set", "full", "--input", "3", "--output", "15", "--cached-input", "0.3"];
  const parts = ["--cache-write", "3.75", "--cache-write-1h", "6", "--audio-input", "40"];
  parts.push("--flex-input", "1.5", "--priority-cached-input", "0.6");
  expect((await parleyHere(other, [...set, ...parts, "--json"])).json().changed).toBe(false);
  expect((await parleyHere(other, [...set, "--json"])).json().changed).toBe(true);
});

test("prices per unit come along, of models that are charged by them", async () => {
  const env = await settingsFor("sqlite");
  const list = {
    draws: { input_cost_per_image: 0.02, output_cost_per_image: 0.04, mode: "image_generation" },
    hears: { input_cost_per_second: 1e-4, output_cost_per_second: 0, mode: "audio_transcription" },
    speaks: { input_cost_per_character: 1.5e-5, mode: "audio_speech" },
    both: {
      ...{ input_cost_per_token: 6e-7, output_cost_per_token: 1e-5, mode: "audio_speech" },
      output_cost_per_second: 2.5e-4,
    },
    fine: { input_cost_per_second: 7.167e-5, mode: "audio_transcription" },
    sees: {
      ...{ input_cost_per_token: 1e-6, output_cost_per_token: 2e-6, mode: "chat" },
      input_cost_per_image: 0.01,
    },
  };
  const ran = await parleyHere(env, [...args, "--json"], JSON.stringify(list));
  expect(ran.json()).toMatchObject({
    added: 5,
    unpriced: ["fine"],
    left_out: [{ field: "input_cost_per_image", models: 1 }],
  });
  const { json } = await parleyHere(env, ["price", "list", "--json"]);
  const units = json<Record<string, string>[]>().map((one) => [
    ...[one.model, one.input, one.output],
    ...[one.per_image, one.per_minute, one.per_million_characters],
  ]);
  expect(units).toEqual([
    ["both", "0.6", "10", null, "0.015", null],
    ["draws", "0", "0", "0.04", null, null],
    ["hears", "0", "0", null, "0.006", null],
    ["sees", "1", "2", null, null, null],
    ["speaks", "0", "0", null, null, "15"],
  ]);
});

test("people read how many were left out, and which; a provider's models can be taken alone", async () => {
  const env = await settingsFor("sqlite");
  const file = join(folder(), "prices.json");
  writeFileSync(file, LIST);
  const all = await parleyHere(env, ["price", "import", file, "--format", "litellm"]);
  expect(all.out).toBe(
    [
      "4 added, 0 unchanged, 0 skipped",
      `6 without a price that Parley can hold: ${UNPRICED.join(", ")}`,
      "Prices left out, with their models: input_cost_per_token_batches (2), search_context_cost_per_query (1)",
      "",
    ].join("\n"),
  );
  const some = await parleyHere(
    await settingsFor("sqlite"),
    [...args, "--provider", "openai"],
    LIST,
  );
  expect(some.out).toMatch(/^2 added, .*\nPrices left out.*batches \(1\)\n$/);
});

test.each([
  ['{"m": {"input_cost_per_token": "free"}}', "m.input_cost_per_token"],
  ['{"m": {"input_cost_per_token": -1e-7}}', "m.input_cost_per_token"],
  ['{"m": {"output_cost_per_token": 1e999}}', "m.output_cost_per_token"],
  ['{"m": {"output_cost_per_token": [1]}}', "m.output_cost_per_token"],
  ['{"m": {"cache_read_input_token_cost": true}}', "m.cache_read_input_token_cost"],
  ['{"m": 5}', "field m must be an object"],
  ['{"m": {}, "n": {}, "\\u006d": {}}', "field m is given twice"],
  ['{"m": {"a": [{}, {"b": 1, "b": 2}]}}', "field m.a[1].b is given twice"],
  ['{"__proto__": {"input_cost_per_token": 1}}', "field __proto__ is unknown"],
  ['{"m": {"__proto__": {}}}', "field m.__proto__ is unknown"],
  [`{"${"m".repeat(201)}": {}}`, "is too long"],
  ['{"a\\u001bb": {}}', "one line of plain text"],
  ['{"": {}}', "model must not be empty"],
  [`{${Array.from({ length: 10_001 }, (_, at) => `"${at}":{}`).join()}}`, "too many entries"],
])("mistake %# is refused by the name of the field", async (list, named) => {
  const env = await installed();
  const ran = await parleyHere(env, args, list);
  expect([ran.code, ran.out]).toEqual([2, ""]);
  expect(ran.err).toContain(named);
  expect((await parleyHere(env, ["price", "list", "--json"])).json()).toEqual([]);
});

test.each([
  ["[1, 2]", ""],
  [
    "[".repeat(100_000) + "]".repeat(100_000),
    "The list is nested too deeply. Source: standard input.",
  ],
  [
    `"${"x".repeat(16 * 2 ** 20)}"`,
    "The list is too large. The limit is 16777216 bytes. Source: standard input.",
  ],
  ["{", "The list is not valid JSON. Source: standard input."],
])("text %# is no list of LiteLLM's", async (list, named) => {
  const ran = await parleyHere(await installed(), args, list);
  expect([ran.code, ran.out]).toEqual([1, ""]);
  expect(ran.err).toContain(named);
});

test.each([
  [["price", "import", "-", "--format", "xml"], "--format"],
  [["price", "import", "-", "--provider", "openai"], "--provider"],
  [["price", "import", "--default", "--format", "litellm"], "--default has a format of its own"],
])("%j is a wrong use", async (wrong, named) => {
  const ran = await parleyHere(await installed(), wrong, "[]");
  expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(named)]);
});
