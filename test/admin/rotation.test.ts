/** Clients that call all the while don't notice that their token gets new secrets. */
import { expect, test } from "vitest";
import { kinds } from "../storage/support/databases.ts";
import { postJson } from "../support/http.ts";
import { startScene } from "../support/scene.ts";
import { settingsFor } from "./support.ts";

const ADMIN_TOKEN = "admin-token-0123456789";
const question = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello?" }] };
const ROTATIONS = 5;

test.each(kinds)(
  "rotation under load loses no call on %s, and every call is recorded",
  async (kind) => {
    const env = await settingsFor(kind);
    const { parley } = await startScene({ ADMIN_TOKEN, ...env });
    const send = async (method: string, path: string, credential: string, body?: unknown) => {
      const headers = { authorization: `Bearer ${credential}` };
      const { status, json } = await postJson(parley.origin + path, body, { method, headers });
      return { status, json: Object(json) };
    };
    const admin = (method: string, path: string, body?: unknown) =>
      send(method, `/admin${path}`, ADMIN_TOKEN, body);
    await admin("PUT", "/prices/gpt-4o-mini", { input: "0.15", output: "0.6" });
    const made = await admin("POST", "/tokens", { name: "alice", requests_per_day: 10_000 });
    const { id } = made.json;
    let secret = made.json.token;
    let isOver = false;
    /** Takes up a new secret some calls late, as clients do. */
    const client = async () => {
      const statuses: number[] = [];
      let used = secret;
      while (!isOver) {
        const reply = await send("POST", "/v1/chat/completions", used, question);
        statuses.push(reply.status);
        if (statuses.length % 4 === 0) used = secret;
      }
      return statuses;
    };
    const clients = Array.from({ length: 6 }, client);
    for (let time = 0; time < ROTATIONS; time += 1) {
      const reply = await admin("POST", `/tokens/${id}/rotate`, { grace: "1h" });
      expect(reply.status).toBe(200);
      secret = reply.json.token;
      for (let call = 0; call < 5; call += 1) {
        expect((await send("POST", "/v1/chat/completions", secret, question)).status).toBe(200);
      }
    }
    isOver = true;
    const statuses = (await Promise.all(clients)).flat();
    expect(new Set(statuses)).toEqual(new Set([200]));
    const usage = await admin("GET", "/usage?by=token");
    const requests = statuses.length + ROTATIONS * 5;
    expect(usage.json.usage).toMatchObject([{ token: id, name: "alice", requests }]);
  },
);
