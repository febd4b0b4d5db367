/** Who guesses at /admin learns nothing, neither of the token nor of what there is. */
import { expect, test } from "vitest";
import { postJson } from "../support/http.ts";
import { startScene } from "../support/scene.ts";

const ADMIN_TOKEN = "admin-0123456789-0123456789";
const right = { authorization: `Bearer ${ADMIN_TOKEN}` };
const wrong = [
  "wrong",
  ADMIN_TOKEN.slice(0, -1),
  `${ADMIN_TOKEN}0`,
  ADMIN_TOKEN.toUpperCase(),
  "sk-caller-9876543210",
  "x".repeat(8_000),
];

test("wrong tokens get one answer, at what exists and at what does not", async () => {
  const { parley } = await startScene({ ADMIN_TOKEN, TRUSTED_PROXIES: "loopback" });
  const url = `${parley.origin}/admin`;
  const made = await postJson(`${url}/tokens`, { name: "Ann" }, { headers: right });
  const { id, token } = Object(made.json);
  const paths = [`/tokens/${id}`, "/tokens/none", "/tokens", "/prices", "/usage"];
  const answers = new Set<string>();
  let address = 0;
  for (const path of paths) {
    for (const credential of [...wrong, token]) {
      // from an address each: after ten, the address would be refused altogether
      address += 1;
      const headers = {
        authorization: `Bearer ${credential}`,
        "x-forwarded-for": `10.0.0.${address}`,
      };
      const reply = await postJson(url + path, undefined, { method: "GET", headers });
      const { "x-request-id": _id, date: _date, ...rest } = reply.headers;
      answers.add(`${reply.status} ${JSON.stringify(rest)} ${reply.text}`);
    }
  }
  expect([...answers]).toHaveLength(1);
  expect([...answers][0]).toMatch(/^401 .*admin_token_needed/);
});
