/** What the server answers to `parley doctor`. */
import { once } from "node:events";
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { startScene } from "../support/scene.ts";
import { ADMIN_TOKEN } from "./support-http.ts";

const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };

async function start() {
  const { parley } = await startScene({ ADMIN_TOKEN });
  const get = (path: string) =>
    postJson(`${parley.origin}/admin/doctor${path}`, undefined, { method: "GET", headers });
  return { origin: parley.origin, get };
}

describe("/admin/doctor", () => {
  test.each([
    ["silent_seconds=131", "field_range", "silent_seconds"],
    ["ticks=201", "field_range", "ticks"],
    ["every_ms=0", "field_range", "every_ms"],
    ["ticks=many", "field_type", "ticks"],
    ["tick=1", "field_unknown", "tick"],
  ])("a stream with %s is refused", async (query, code, field) => {
    const { get } = await start();
    const { status, json } = await get(`/stream?${query}`);
    expect([status, json]).toMatchObject([400, { error: { code, field } }]);
  });

  test("a stream sends as many ticks as asked, and its end is remembered", async () => {
    const { get } = await start();
    const { text } = await get("/stream?id=one&ticks=3&every_ms=10");
    expect(text.match(/"tick":\d/g)).toEqual(['"tick":0', '"tick":1', '"tick":2']);
    expect((await get("/streams/one")).json).toMatchObject({ state: "ended" });
    expect((await get("/streams/two")).json).toEqual({ state: "unknown", seconds_ago: null });
  });

  test("at most 16 streams are open at once", async () => {
    const { get, origin } = await start();
    for (let open = 0; open < 16; open += 1) {
      const sent = request(`${origin}/admin/doctor/stream?silent_seconds=60`, {
        headers,
        agent: false,
      });
      sent.on("error", () => undefined).end();
      closeAfterFile({ close: () => void sent.destroy() });
      await once(sent, "response");
    }
    const { status, json } = await get("/stream");
    expect([status, json]).toMatchObject([503, { error: { code: "overloaded" } }]);
  });

  test("headers are shown by name, never by value", async () => {
    const { get } = await start();
    const { json, text } = await get("/request");
    expect(json).toMatchObject({ headers: expect.arrayContaining(["authorization"]) });
    expect(text).not.toContain(ADMIN_TOKEN);
  });
});
