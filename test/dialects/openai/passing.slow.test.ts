/** A large answer passes as it arrives: no room is taken, and its call is settled all the same. */
import { expect, test } from "vitest";
import { postJson } from "../../support/http.ts";
import { OWN_KEY } from "../../support/scene.ts";
import {
  announced,
  embedding,
  LARGE_BYTES,
  parts,
  receive,
  usage,
  usageFirst,
  usageLast,
} from "./large.ts";
import {
  bearer,
  EMBEDDER,
  INSTRUCT,
  MODEL,
  question,
  startTokenScene,
  WAIT_MS,
} from "./support.ts";

const settled = {
  outcome: "completed",
  error: null,
  provenance: "reported",
  answered_by: EMBEDDER,
  upstream_id: "answer-1",
  prompt_tokens: usage.prompt_tokens,
  first_token_ms: null,
};
const asked: readonly (readonly [string, object])[] = [
  ["/v1/chat/completions", question],
  ["/v1/chat/completions", { ...question, stream: true }],
  ["/chat", question],
  ["/v1/completions", { model: INSTRUCT, prompt: "hi" }],
  ["/v1/responses", { model: MODEL, input: "hi" }],
  ["/v1/embeddings", embedding],
  ["/v1/moderations", { model: MODEL, input: "hi" }],
];

test.each(asked)(
  "%s, with its usage at the start or the end, byte for byte: %#",
  async (path, body) => {
    const scene = await startTokenScene();
    for (const answer of [usageFirst(), usageLast(), usageLast(65_536), usageLast(200_000)]) {
      scene.upstream.behave(announced(answer));
      const before = scene.rows().length;
      const rowsThen: number[] = [];
      const onData = (bytes: number) => {
        if (bytes === answer.length) rowsThen.push(scene.rows().length - before);
      };
      const url = `${scene.parley.origin}${path}`;
      const got = await receive(url, scene.token, body, { onData });
      expect([got.status, got.isWhole, got.text === answer]).toEqual([200, true, true]);
      expect(got.headers["content-type"]).toBe("application/json");
      expect(rowsThen).toEqual([1]);
      expect(scene.rows().at(-1)).toMatchObject(settled);
    }
  },
);

test("its length is told where it is known", async () => {
  const scene = await startTokenScene();
  const url = `${scene.parley.origin}/v1/embeddings`;
  const answer = usageLast();
  const cases = [
    [announced(answer), String(answer.length)],
    [announced(`\ufeff${answer}`), undefined],
    [parts([answer]), undefined],
    [parts(["\ufeff", ...(answer.match(/.{1,50000}/gs) ?? [])]), undefined],
    [parts([answer, " \n", "\n"]), undefined],
  ] as const;
  for (const [behaviour, length] of cases) {
    scene.upstream.behave(behaviour);
    const got = await receive(url, scene.token);
    expect([got.isWhole, got.headers["content-length"]]).toEqual([true, length]);
    expect(got.text.trimEnd() === answer).toBe(true);
  }
  expect(scene.rows().map(({ outcome }) => outcome)).toEqual(Array(5).fill("completed"));
});

test("it begins before its end is there, whose last bytes wait for the row", async () => {
  const scene = await startTokenScene();
  const go = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const answer = usageLast();
  scene.upstream.behave(
    parts([answer], async ({ response }) => {
      await go.promise;
      response.end();
    }),
  );
  let received = 0;
  const reading = receive(`${scene.parley.origin}/v1/embeddings`, scene.token, embedding, {
    onData: (bytes) => {
      received = bytes;
      begun.resolve();
    },
  });
  await begun.promise;
  expect(scene.rows()).toEqual([]);
  expect(received).toBeLessThan(answer.length);
  go.resolve();
  expect((await reading).text === answer).toBe(true);
  expect(scene.rows()).toMatchObject([settled]);
});

test("a list of models passes to a key's owner; a token's list is read whole", async () => {
  const models = [{ id: MODEL, object: "model", about: "x".repeat(LARGE_BYTES) }, { id: "other" }];
  const list = JSON.stringify({ object: "list", data: models });
  const scene = await startTokenScene({}, { behaviour: announced(list) });
  const ask = (method: string, token: string) =>
    postJson(`${scene.parley.origin}/v1/models`, undefined, { method, headers: bearer(token) });
  const own = await ask("GET", OWN_KEY);
  expect([own.status, own.text === list]).toEqual([200, true]);
  const head = await ask("HEAD", OWN_KEY);
  expect([head.status, head.text, head.headers["content-length"]]).toEqual([
    200,
    "",
    String(list.length),
  ]);
  expect((await ask("GET", scene.token)).json).toMatchObject({ data: [models[0]] });
  await scene.upstream.waitFor(() => scene.upstream.open() === 0, {
    label: "nothing is open",
    timeoutMs: WAIT_MS,
  });
});
