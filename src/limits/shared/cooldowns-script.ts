import { NOW } from "./script-time.ts";
import type { Script } from "./store.ts";

/** Keys that rest at once; more than operators have. Of further ones the next beat knows nothing. */
const MAX_RESTS = 1_000;

/**
 * Lua of a beat, with the hash of rests in KEYS[2], that fills `rests`: id, milliseconds, and so on.
 * A field holds when the rest ends and how long it was: where the store's clock went back, none
 * lasts longer than it was.
 */
export const READ_RESTS = `
local fields = redis.call('HGETALL', KEYS[2])
for index = 1, #fields, 2 do
  local untilMs, forMs = string.match(fields[index + 1], '^(%d+) (%d+)$')
  local leftMs = tonumber(untilMs) - nowMs
  if leftMs <= 0 then
    redis.call('HDEL', KEYS[2], fields[index])
  else
    if leftMs > tonumber(forMs) then
      leftMs = tonumber(forMs)
      redis.call('HSET', KEYS[2], fields[index], string.format('%.0f %.0f', nowMs + leftMs, leftMs))
    end
    rests[#rests + 1] = fields[index]
    rests[#rests + 1] = leftMs
  end
end
`;

/**
 * KEYS: the hash of rests. ARGV: the time, then id and milliseconds of each rest, 0 for one that has
 * ended. Replies with how many were written.
 */
export const WRITE_RESTS: Script = {
  name: "write-rests",
  lua: `${NOW}
local nowMs = math.floor(now / 1000)
local written = 0
for index = 2, #ARGV, 2 do
  local id, forMs = ARGV[index], tonumber(ARGV[index + 1])
  if forMs <= 0 then
    written = written + redis.call('HDEL', KEYS[1], id)
  elseif redis.call('HLEN', KEYS[1]) < ${MAX_RESTS} or redis.call('HEXISTS', KEYS[1], id) == 1 then
    redis.call('HSET', KEYS[1], id, string.format('%.0f %.0f', nowMs + forMs, forMs))
    if redis.call('PTTL', KEYS[1]) < forMs then redis.call('PEXPIRE', KEYS[1], forMs) end
    written = written + 1
  end
end
return written`,
};
