import { expect, test } from "vitest";
import { createSeals } from "../../src/limits/shared/sealed.ts";
import { namedCall } from "./fixtures/named-calls.ts";

const call = namedCall("token 7\norder-1", { fingerprint: "request-1", seal: "parley-token" });
const response = {
  status: 201,
  contentType: "application/json; charset=utf-8",
  bytes: Buffer.from([0, 1, 254, 255]),
};
const seals = createSeals("secret");

test("a sealed response opens for its call, in another process too", () => {
  const sealed = seals.seal(call, response);
  expect(createSeals("secret").open(call, sealed)).toEqual(response);
  const empty = { ...response, contentType: "", bytes: new Uint8Array() };
  expect(seals.open(call, seals.seal(call, empty))).toMatchObject({ status: 201, contentType: "" });
});

test("it is never sealed alike twice, and shows nothing", () => {
  const sealed = Buffer.from(seals.seal(call, response));
  expect(sealed.equals(seals.seal(call, response))).toBe(false);
  expect(sealed.includes("json")).toBe(false);
});

test.each([
  ["another secret", createSeals("another"), call],
  ["another credential", seals, { ...call, seal: "parley-other" }],
  ["another name", seals, { ...call, name: "token 8\norder-1" }],
  ["another request", seals, { ...call, fingerprint: "request-2" }],
])("it does not open with %s", (_, others, other) => {
  expect(others.open(other, seals.seal(call, response))).toBeNull();
});

test("it does not open with any byte changed, or cut off", () => {
  const sealed = seals.seal(call, response);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Uint8Array.from(sealed, (byte, place) => (place === at ? byte ^ 1 : byte));
    expect(seals.open(call, changed), `byte ${at}`).toBeNull();
    expect(seals.open(call, sealed.subarray(0, at)), `first ${at}`).toBeNull();
  }
});

test("digests differ by installation and by kind, and are as long as asked", () => {
  const digest = seals.digest("name", "order-1", 16);
  expect(digest).toMatch(/^[0-9a-f]{32}$/);
  expect(createSeals("secret").digest("name", "order-1", 16)).toBe(digest);
  expect(createSeals("another").digest("name", "order-1", 16)).not.toBe(digest);
  expect(seals.digest("bucket", "order-1", 16)).not.toBe(digest);
});
