import { beforeEach, describe, expect, it } from "vitest";
import {
  type AddressAlarm,
  type AddressWarning,
  createAddressAlarm,
} from "../../../src/http/address/address-alarm.ts";
import type { ClientAddress } from "../../../src/http/address/client-address.ts";

let alarm: AddressAlarm;
let raised: AddressWarning[];

beforeEach(() => {
  raised = [];
  alarm = createAddressAlarm({ onAlarm: (warning) => raised.push(warning) });
});

function call(peer: string, forwarded: ClientAddress["forwarded"], times = 1): void {
  for (let index = 0; index < times; index += 1) {
    alarm.observe({ address: peer, bucket: peer, peer, forwarded });
  }
}

const GATEWAY = "172.18.0.1";

describe("a peer that everybody shares", () => {
  it("raises the alarm at the twentieth call, once", () => {
    call(GATEWAY, "ignored", 19);
    expect(raised).toEqual([]);
    call(GATEWAY, "ignored", 5_000);
    expect(raised).toEqual([{ code: "shared_peer", peer: GATEWAY, share: 1, calls: 20 }]);
    expect(alarm.warnings()).toMatchObject([{ code: "shared_peer", peer: GATEWAY, share: 1 }]);
  });

  it("is noticed beside the few calls made on the machine itself", () => {
    for (let index = 0; index < 500; index += 1) {
      call(GATEWAY, "ignored", 49);
      call("127.0.0.1", "none");
    }
    const [warning, ...others] = alarm.warnings();
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ code: "shared_peer", peer: GATEWAY });
    expect(warning?.share).toBeCloseTo(0.98, 2);
    expect(warning?.calls).toBeLessThanOrEqual(2_000);
  });

  it("is named even when another peer led long before it", () => {
    for (let index = 0; index < 20_000; index += 1) {
      call("203.0.113.9", "none");
      call("198.51.100.1", "ignored");
    }
    expect(alarm.warnings()).toMatchObject([{ code: "untrusted_forwarded" }]);
    call(GATEWAY, "ignored", 8_000);
    expect(alarm.warnings()).toMatchObject([{ code: "shared_peer", peer: GATEWAY }]);
  });

  it("is no alarm when its headers are believed", () => {
    call(GATEWAY, "believed", 5_000);
    expect(alarm.warnings()).toEqual([]);
    expect(raised).toEqual([]);
  });

  it("is no alarm when it sends no such headers", () => {
    call(GATEWAY, "none", 5_000);
    expect(raised).toEqual([]);
  });

  it("is not what nine tenths of the calls mean", () => {
    for (let index = 0; index < 500; index += 1) {
      call("203.0.113.9", "none");
      call(GATEWAY, "ignored", 9);
    }
    expect(raised.map(({ code }) => code)).toEqual(["untrusted_forwarded"]);
    expect(alarm.warnings()[0]?.peer).toBe(GATEWAY);
  });

  it("clears by itself, without ringing as spoofing, and can be raised again", () => {
    call(GATEWAY, "ignored", 3_000);
    call(GATEWAY, "believed", 3_000);
    expect(alarm.warnings()).toEqual([]);
    call("198.51.100.1", "ignored", 3);
    expect(raised).toHaveLength(1);
    call(GATEWAY, "ignored", 30_000);
    expect(alarm.warnings()).toMatchObject([{ code: "shared_peer" }]);
    expect(raised.at(-1)?.code).toBe("shared_peer");
  });

  it("does not ring again and again when its share moves around the threshold", () => {
    for (let round = 0; round < 50; round += 1) {
      call(GATEWAY, "ignored", 970);
      call("203.0.113.9", "none", 30);
      call(GATEWAY, "ignored", 900);
      call("203.0.113.9", "none", 100);
    }
    expect(raised).toHaveLength(1);
  });
});

describe("forwarded headers from peers we do not trust", () => {
  it("raise the alarm at the twentieth such call among ordinary ones, once", () => {
    for (let index = 0; index < 20; index += 1) {
      expect(raised).toEqual([]);
      call("203.0.113.9", "none", 5);
      call(`198.51.100.${index}`, "ignored");
    }
    expect(raised).toEqual([
      { code: "untrusted_forwarded", peer: null, share: 20 / 120, calls: 20 },
    ]);
    call("198.51.100.200", "ignored", 20);
    expect(raised).toHaveLength(1);
  });

  it("name the peer when most of them come from one", () => {
    call("203.0.113.9", "believed", 100);
    call("198.51.100.1", "ignored", 25);
    expect(alarm.warnings()).toEqual([
      { code: "untrusted_forwarded", peer: "198.51.100.1", share: 0.2, calls: 25 },
    ]);
  });

  it("are not pinned on one of two proxies that send as many", () => {
    for (let index = 0; index < 2_000; index += 1) {
      call("10.0.0.1", "ignored");
      call("10.0.0.2", "ignored");
    }
    expect(alarm.warnings()).toMatchObject([{ code: "untrusted_forwarded" }]);
    expect(raised).toHaveLength(1);
  });

  it("do not ring again and again when their number moves around the threshold", () => {
    for (let round = 0; round < 100; round += 1) {
      call("203.0.113.9", "none", 988);
      call("198.51.100.1", "ignored", 12);
    }
    expect(raised).toHaveLength(1);
  });

  it("are forgiven when they are rare", () => {
    for (let index = 0; index < 200; index += 1) {
      call("203.0.113.9", "none", 999);
      call("198.51.100.1", "ignored");
    }
    expect(raised).toEqual([]);
  });

  it("are forgotten after thousands of ordinary calls, and raise again when they return", () => {
    call("203.0.113.9", "none", 100);
    call("198.51.100.1", "ignored", 30);
    expect(alarm.warnings()).toHaveLength(1);
    call("203.0.113.9", "none", 5_000);
    expect(alarm.warnings()).toEqual([]);
    call("198.51.100.1", "ignored", 30);
    expect(raised.map(({ code }) => code)).toEqual(["untrusted_forwarded", "untrusted_forwarded"]);
  });
});

it("keeps shares between 0 and 1 through any long mixture", () => {
  for (let index = 0; index < 50_000; index += 1) {
    const kind = (index * 7919) % 13;
    call(`198.51.100.${kind}`, kind < 9 ? "ignored" : "none");
    for (const { share, calls } of alarm.warnings()) {
      if (share < 0 || share > 1 || calls < 0 || calls > 2_000) expect({ share, calls }).toBeNull();
    }
  }
  expect(alarm.warnings()).toHaveLength(1);
});
