/** What an upstream quotes must not hold a secret of ours, in any dialect. */
import { describe, expect, test } from "vitest";
import { postJson } from "../support/http.ts";
import { says } from "../support/refusals.ts";
import { OPERATOR_KEY, OWN_KEY, startScene } from "../support/scene.ts";
import type { Choose } from "../support/upstream.ts";
import { question, rowsIn } from "./openai/support.ts";
import { others } from "./routes.ts";

describe("no secret of the server reaches anybody", () => {
  const secrets = {
    API_KEY: `${OPERATOR_KEY},second-operator-key`,
    ADMIN_TOKEN: "admin-9f8e7d6c5b4a-very-secret",
    METRICS_TOKEN: "metrics-1a2b3c4d5e6f",
    ACCESS_TOKEN: "open-sesame-77",
    SECRET_KEY: "0123456789-0123456789-0123456789-0123456789",
    OPENAI_PROXY: "",
  };
  test.each([
    "second-operator-key",
    "SECOND-OPERATOR-KEY",
    "second-operat",
    "second%2Doperator%2Dkey",
    "\\u0073econd-operator-key",
    Buffer.from("second-operator-key").toString("base64"),
    OPERATOR_KEY.slice(0, 16),
    secrets.ADMIN_TOKEN,
    secrets.METRICS_TOKEN,
    secrets.ACCESS_TOKEN,
    secrets.SECRET_KEY,
    "AIzaSyA0000000000000000000000000000000",
    "gsk_0123456789abcdefghij",
  ])("as %s", async (secret) => {
    const body = {
      error: {
        message: `bad key ${secret}, ${"x".repeat(470)} ${secret}`,
        code: secret,
        [secret]: 1,
      },
    };
    const scene = await startScene(secrets, { behaviour: says(400, body) });
    const asked = [["/v1/chat/completions", question], ...others] as const;
    for (const [path, json] of asked) {
      const headers = { authorization: `Bearer ${OWN_KEY}`, "access-token": secrets.ACCESS_TOKEN };
      const reply = await postJson(`${scene.parley.origin}${path}`, json, { headers });
      expect(reply.status).toBe(400);
      expect(reply.text).toContain("bad key [removed]");
      const shown = `${reply.text}${scene.parley.log.join("")}`.toLowerCase();
      for (let at = 0; at + 10 <= secret.length; at += 1) {
        expect(shown).not.toContain(secret.slice(at, at + 10).toLowerCase());
      }
    }
  });
});

describe("names that a good answer gives with a part of a key", () => {
  const env = { API_KEY: `${OPERATOR_KEY},second-operator-key`, ACCESS_TOKEN: "open" };
  const headers = { authorization: `Bearer ${OWN_KEY}`, "access-token": "open" };
  const asked = [["/v1/chat/completions", question], ...others] as const;

  function naming(key: string): Choose {
    const names = { id: key, model: `m-${key.slice(4, 14)}`, object: "chat.completion" };
    const message = { role: "assistant", content: "hi" };
    const choice = { index: 0, message, delta: message, finish_reason: key };
    const text = JSON.stringify({ ...names, choices: [choice] });
    return ({ bodyText }) =>
      bodyText.includes('"stream":true')
        ? says(200, `data: ${text}\n\ndata: [DONE]\n\n`, { "content-type": "text/event-stream" })
        : says(200, text);
  }

  test.each([
    [OPERATOR_KEY, false],
    ["second-operator-key", true],
    [OWN_KEY, false],
    [OWN_KEY, true],
  ])("reach no row, no log and no answer of our own: %s, streamed: %s", async (key, stream) => {
    const { parley } = await startScene(env, { behaviour: naming(key) });
    const shown: unknown[] = [];
    for (const [path, body] of asked) {
      const sent = { ...body, stream, generate_params: { stream } };
      const reply = await postJson(`${parley.origin}${path}`, sent, { headers });
      expect(reply.status).toBe(200);
      // the service's own object passes as it is
      if (!/v1|complete/.test(path)) shown.push(reply.text);
    }
    const rows = rowsIn(parley.config.DATA_DIR);
    expect(rows.map(({ answered_by }) => answered_by)).toEqual(asked.map(() => "[removed]"));
    const all = JSON.stringify([shown, rows, parley.log]);
    const runs = Array.from({ length: key.length - 10 }, (_, at) => key.slice(at + 3, at + 11));
    expect(runs.filter((run) => all.includes(run))).toEqual([]);
  });
});
