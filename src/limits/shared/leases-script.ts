import { NOW } from "./script-time.ts";
import type { Script } from "./store.ts";

/** A lease that is not renewed ends by itself. Milliseconds. */
export const LEASE_MS = 30_000;
const LEASE_US = LEASE_MS * 1_000;
/** Ended leases that one call removes, and leases whose end it corrects. */
const MAX_SWEPT = 100;

/**
 * A bucket's open things are one sorted set: each lease with the time when it ends.
 *
 * KEYS: the bucket. ARGV: the time, the limit (0: none), the lease. Replies 1, or 0 if as many are
 * open already. A lease that ends too late is from before the store's clock went back.
 */
export const ENTER: Script = {
  name: "enter",
  lua: `${NOW}
local endsAt = now + ${LEASE_US}
local known = redis.call('ZCARD', KEYS[1])
if known > 0 then
  local late = redis.call('ZRANGEBYSCORE', KEYS[1], endsAt + 1, '+inf', 'LIMIT', 0, ${MAX_SWEPT})
  for _, lease in ipairs(late) do redis.call('ZADD', KEYS[1], endsAt, lease) end
  local open = redis.call('ZCOUNT', KEYS[1], now, '+inf')
  if known > open then
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, math.min(known - open, ${MAX_SWEPT}) - 1)
  end
  local limit = tonumber(ARGV[2])
  if limit > 0 and open >= limit then return 0 end
end
redis.call('ZADD', KEYS[1], endsAt, ARGV[3])
redis.call('PEXPIRE', KEYS[1], ${LEASE_MS})
return 1`,
};

/** KEYS: the bucket. ARGV: leases that are over. Replies with how many of them it had. */
export const LEAVE: Script = {
  name: "leave",
  lua: "return redis.call('ZREM', KEYS[1], unpack(ARGV))",
};

/**
 * KEYS: the bucket. ARGV: the time, then leases, which are open from now on whatever the limit is.
 * Replies with how many of them it did not have.
 */
export const RENEW: Script = {
  name: "renew",
  lua: `${NOW}
local added = 0
for index = 2, #ARGV do
  added = added + redis.call('ZADD', KEYS[1], now + ${LEASE_US}, ARGV[index])
end
redis.call('PEXPIRE', KEYS[1], ${LEASE_MS})
return added`,
};

/** KEYS: the bucket. ARGV: the time. Replies with how many leases are open. */
export const COUNT: Script = {
  name: "count-open",
  lua: `${NOW}
return redis.call('ZCOUNT', KEYS[1], now, '+inf')`,
};
