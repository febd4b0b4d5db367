/** What an upstream quotes must not hold a secret of ours, in any dialect. */
import { describe, expect, test } from "vitest";
import { postJson } from "../support/http.ts";
import { says } from "../support/refusals.ts";
import { OPERATOR_KEY, OWN_KEY, startScene } from "../support/scene.ts";
import { question } from "./openai/support.ts";
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
