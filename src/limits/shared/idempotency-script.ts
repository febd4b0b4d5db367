import { NOW } from "./script-time.ts";
import type { Script } from "./store.ts";

/**
 * A record per named call, and what counts the kept ones. All share one hash tag:
 *
 * KEYS[1] the call's record, a hash:
 *   state   asked (somebody asks), kept (there is an answer) or free (who asked has failed)
 *   owner   who asks or asked; request: the digest of the request
 *   until   end of the lease while it is asked, of the answer when it is kept; ms
 *   bytes   the sealed answer; member: its place in the next two
 * KEYS[2] sorted set of members by `until`
 * KEYS[3] the same members in the order of their text: of a bucket, oldest first
 * KEYS[4] sorted set: bytes of each bucket, and of `all`
 *
 * A member is `<bucket>:<when it was kept, ms>:<name>:<bytes that it counts>`. All digests are hexadecimal.
 * ARGV[1] is the time as in `script-time.ts`; ARGV[2] the name that is in KEYS[1]. Scripts count in ms.
 */
const COMMON = `${NOW}
now = math.floor(now / 1000)

local function recordOf(name)
  local at = string.find(KEYS[1], ARGV[2], 1, true)
  return string.sub(KEYS[1], 1, at - 1) .. name .. string.sub(KEYS[1], at + #ARGV[2])
end

local function bytesOf(bucket)
  return tonumber(redis.call('ZSCORE', KEYS[4], bucket)) or 0
end

local function count(bucket, bytes)
  for _, of in ipairs({bucket, 'all'}) do
    if tonumber(redis.call('ZINCRBY', KEYS[4], bytes, of)) <= 0 then
      redis.call('ZREM', KEYS[4], of)
    end
  end
end

local function drop(member)
  local bucket, name, bytes = string.match(member, '^(%x+):%d+:(%x+):(%d+)$')
  if redis.call('ZREM', KEYS[2], member) == 1 then count(bucket, -bytes) end
  redis.call('ZREM', KEYS[3], member)
  local record = recordOf(name)
  if redis.call('HGET', record, 'member') == member then redis.call('DEL', record) end
end
`;

/**
 * Finds the answer or who asks for it, else lets the owner ask; for the owner itself, renews its lease.
 * ARGV: time, name, owner, request, the owner that was waited for or '', the owner whose answer can't be
 * opened or '', lease in ms, how long a record stays in ms.
 * Replies {1}: ask. {2, owner}: wait. {3, owner, bytes}: kept. {4}: another request. {5}: lost.
 */
export const beginScript: Script = {
  name: "idempotency-begin",
  bytes: true,
  lua: `${COMMON}
local owner, request, waited, unopened = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local lease, stays = tonumber(ARGV[7]), tonumber(ARGV[8])
local found = redis.call('HMGET', KEYS[1], 'state', 'owner', 'request', 'until', 'member')
local state, ends = found[1], tonumber(found[4])

-- the clock went back: nothing lasts longer than from now on
if ends then
  local latest = now + (state == 'kept' and stays or lease)
  if ends > latest then
    ends = latest
    redis.call('HSET', KEYS[1], 'until', ends)
    redis.call('PEXPIRE', KEYS[1], stays)
  end
end

if state == 'kept' and (ends <= now or found[2] == unopened) then
  redis.call('DEL', KEYS[1])
  drop(found[5])
  state = false
end
if state == 'kept' then
  if found[3] ~= request then return {4} end
  return {3, found[2], redis.call('HGET', KEYS[1], 'bytes')}
end
if state == 'asked' and found[2] ~= owner then
  if ends <= now then
    redis.call('DEL', KEYS[1])
    return {5}
  end
  if found[3] ~= request then return {4} end
  return {2, found[2]}
end
if not state and waited ~= '' then return {5} end

redis.call('HSET', KEYS[1], 'state', 'asked', 'owner', owner, 'request', request, 'until', now + lease)
redis.call('PEXPIRE', KEYS[1], stays)
return {1}
`,
};

/** How many answers one run drops at most, for each reason to drop some. */
export const MAX_DROPPED = 257;

/**
 * Keeps the owner's answer if there is room, as the copy's own memory does: a bucket with its share makes
 * room for its next answers only, else the one with most does.
 * ARGV: time, name, owner, request, bucket, sealed answer, how long it stays in ms, how long a free record
 * stays in ms, bytes of the room, of a bucket's share, and what a small answer counts.
 * Replies 1: kept. 0: not kept, because there is no room or another asks by now.
 */
export const keepScript: Script = {
  name: "idempotency-keep",
  lua: `${COMMON}
local owner, request, bucket, sealed = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local stays, room, share = tonumber(ARGV[7]), tonumber(ARGV[9]), tonumber(ARGV[10])
local bytes = math.max(#sealed, tonumber(ARGV[11]))
local found = redis.call('HMGET', KEYS[1], 'state', 'owner')
if found[1] and found[2] ~= owner then return 0 end

local function first(command)
  local edge = redis.call(command, KEYS[2], 0, 0, 'WITHSCORES')
  return edge[1], tonumber(edge[2])
end
for _ = 1, ${MAX_DROPPED} do
  local member, ends = first('ZRANGE')
  if not member or ends > now then break end
  drop(member)
end
-- the clock went back: nothing lasts longer than from now on
for _ = 1, ${MAX_DROPPED} do
  local member, ends = first('ZREVRANGE')
  if not member or ends <= now + stays then break end
  redis.call('ZADD', KEYS[2], now + stays, member)
end

local function heaviest()
  for _, of in ipairs(redis.call('ZREVRANGE', KEYS[4], 0, 1)) do
    if of ~= 'all' then return of end
  end
end
for _ = 1, ${MAX_DROPPED} do
  if bytesOf('all') + bytes <= room then break end
  local from = bucket
  if bytesOf(bucket) + bytes <= share then from = heaviest() end
  -- no bucket is left, so what all have is that of keys that the store has evicted
  if not from then redis.call('DEL', KEYS[4]) break end
  if bytesOf(from) == 0 then break end
  local oldest = redis.call('ZRANGEBYLEX', KEYS[3], '[' .. from .. ':', '(' .. from .. ';', 'LIMIT', 0, 1)
  -- likewise of a bucket without an answer
  if oldest[1] then drop(oldest[1]) else count(from, -bytesOf(from)) end
end

redis.call('DEL', KEYS[1])
if bytesOf('all') + bytes > room then
  redis.call('HSET', KEYS[1], 'state', 'free')
  redis.call('PEXPIRE', KEYS[1], ARGV[8])
  return 0
end
local member = string.format('%s:%013.0f:%s:%d', bucket, now, ARGV[2], bytes)
redis.call('HSET', KEYS[1], 'state', 'kept', 'owner', owner, 'request', request,
  'until', now + stays, 'bytes', sealed, 'member', member)
redis.call('PEXPIRE', KEYS[1], stays)
redis.call('ZADD', KEYS[2], now + stays, member)
redis.call('ZADD', KEYS[3], 0, member)
count(bucket, bytes)
for at = 2, 4 do redis.call('PEXPIRE', KEYS[at], 2 * stays) end
return 1
`,
};

/**
 * The owner has failed: the next one may ask. KEYS[1] as above; ARGV: owner, how long that can be seen in
 * ms, so that whoever waits tells it from a record that was lost. Replies 1, or 0 if another owns it.
 */
export const freeScript: Script = {
  name: "idempotency-free",
  lua: `
local found = redis.call('HMGET', KEYS[1], 'state', 'owner')
if found[1] ~= 'asked' or found[2] ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'free')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`,
};
