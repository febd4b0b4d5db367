import { READ_BREAKERS } from "./breakers-script.ts";
import { READ_RESTS } from "./cooldowns-script.ts";
import { NOW } from "./script-time.ts";
import type { Script } from "./store.ts";

/** A copy that was not heard for so long does not count. Microseconds. */
const ALIVE_US = 5_000_000;
/** Entries of one beat whose time is corrected, after the store's clock went back. */
const MAX_CORRECTED = 100;

export const LEAVING = "leaving";

/**
 * KEYS: the copies (sorted by when they were heard), the rests, the breakers. ARGV: the time, the
 * copy's id, and LEAVING for its last beat. Replies `[copies alive, rests, breakers]`, the last two
 * as their own scripts describe.
 */
export const BEAT: Script = {
  name: "beat",
  lua: `${NOW}
if ARGV[3] == '${LEAVING}' then return redis.call('ZREM', KEYS[1], ARGV[2]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ${ALIVE_US})
local ahead = redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf', 'LIMIT', 0, ${MAX_CORRECTED})
for _, copy in ipairs(ahead) do redis.call('ZADD', KEYS[1], now, copy) end
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ${ALIVE_US / 1_000})
local nowMs = math.floor(now / 1000)
local rests = {}
local breakers = {}
${READ_RESTS}
${READ_BREAKERS}
return { redis.call('ZCARD', KEYS[1]), rests, breakers }`,
};
