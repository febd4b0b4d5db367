import { BREAKER } from "../breaker-rules.ts";
import { NOW } from "./script-time.ts";
import type { Script } from "./store.ts";

/** Targets in one hash; more than operators have. The failures of further ones are forgotten. */
const MAX_TARGETS = 1_000;
/** The hash outlives what is forgotten. */
const EXPIRE_MS = 2 * BREAKER.forgetMs;

export const PHASES = ["closed", "open", "probing"] as const;

/**
 * Lua over a hash of breakers, one field a target: phase (index of PHASES), failures in a row, level,
 * when the rest is over or the probe is lost, how long that was, whose probe has told nothing yet, when
 * it was last used, and the window: second, successes, failures, and so on. Times are milliseconds; where the store's
 * clock went back, what is of the future is of now.
 */
const FUNCTIONS = `
local function unpacked(packed)
  if not packed then return nil end
  local breaker = cmsgpack.unpack(packed)
  if breaker[4] - nowMs > breaker[5] then breaker[4] = nowMs + breaker[5] end
  breaker[7] = math.min(breaker[7], nowMs)
  if nowMs - breaker[7] > ${BREAKER.forgetMs} then return nil end
  return breaker
end
local function fresh() return { 0, 0, 0, 0, 0, '', nowMs, {} } end
local function open(breaker, level, random)
  local rest = math.min(${BREAKER.firstRestMs} * 2 ^ level, ${BREAKER.maxRestMs})
  rest = math.floor(rest * (1 + ${BREAKER.jitter} * (2 * random - 1)) + 0.5)
  breaker[1], breaker[3], breaker[4], breaker[5] = 1, level, nowMs + rest, rest
end
local function save(hash, id, breaker)
  if redis.call('HLEN', hash) >= ${MAX_TARGETS} and redis.call('HEXISTS', hash, id) == 0 then return end
  redis.call('HSET', hash, id, cmsgpack.pack(breaker))
  redis.call('PEXPIRE', hash, ${EXPIRE_MS})
end
local function leftMs(breaker)
  if breaker[1] == 0 then return 0 end
  return math.max(0, breaker[4] - nowMs)
end
local function tell(list, id, breaker)
  for _, word in ipairs({ id, breaker[1], breaker[2], breaker[3], leftMs(breaker) }) do
    list[#list + 1] = word
  end
end
`;

/** Of the window, with what is counted now: fills `kept`, `calls` and `failures`. */
const TALLY = `
local function tally(breaker, ok, failed)
  local second = math.floor(nowMs / 1000)
  local kept, calls, failures = {}, ok + failed, failed
  for index = 1, #breaker[8], 3 do
    local at, good, bad = breaker[8][index], breaker[8][index + 1], breaker[8][index + 2]
    if at >= second then
      ok, failed = ok + good, failed + bad
    elseif at > second - ${BREAKER.windowSeconds} then
      kept[#kept + 1], kept[#kept + 2], kept[#kept + 3] = at, good, bad
    end
    if at > second - ${BREAKER.windowSeconds} then
      calls, failures = calls + good + bad, failures + bad
    end
  end
  kept[#kept + 1], kept[#kept + 2], kept[#kept + 3] = second, ok, failed
  breaker[8] = kept
  return calls, failures
end
`;

const BEGIN = `${NOW}
local nowMs = math.floor(now / 1000)
${FUNCTIONS}`;

/**
 * Lua of a beat, with the hash of breakers in KEYS[3], that fills `breakers` with what is not plainly
 * closed: id, phase, failures in a row, level, milliseconds left, and so on.
 */
export const READ_BREAKERS = `${FUNCTIONS}
local targets = redis.call('HGETALL', KEYS[3])
for index = 1, #targets, 2 do
  local breaker = unpacked(targets[index + 1])
  if breaker == nil then
    redis.call('HDEL', KEYS[3], targets[index])
  elseif breaker[1] ~= 0 or breaker[2] > 0 then
    tell(breakers, targets[index], breaker)
    local packed = cmsgpack.pack(breaker)
    if packed ~= targets[index + 1] then redis.call('HSET', KEYS[3], targets[index], packed) end
  end
end
`;

/**
 * KEYS: the hash. ARGV: the time, the copy, a random number from 0 to 1, then id, successes and
 * later failures of each target. Replies with each target as a beat does.
 */
export const REPORT: Script = {
  name: "report-calls",
  lua: `${BEGIN}${TALLY}
local told = {}
for index = 4, #ARGV, 3 do
  local id, ok, failed = ARGV[index], tonumber(ARGV[index + 1]), tonumber(ARGV[index + 2])
  local breaker = unpacked(redis.call('HGET', KEYS[1], id)) or fresh()
  breaker[7] = nowMs
  if breaker[1] == 0 then
    if ok > 0 then breaker[2] = 0 end
    breaker[2] = breaker[2] + failed
    local calls, failures = tally(breaker, ok, failed)
    local half = calls >= ${BREAKER.minCalls} and failures * 2 >= calls
    if failed > 0 and (breaker[2] >= ${BREAKER.row} or half) then open(breaker, 0, ARGV[3]) end
  elseif breaker[6] == ARGV[2] then
    breaker[6] = ''
    if failed == 0 then
      breaker = fresh()
    elseif breaker[1] == 2 then
      open(breaker, breaker[3] + 1, ARGV[3])
    end
  end
  save(KEYS[1], id, breaker)
  tell(told, id, breaker)
end
return told`,
};

/**
 * KEYS: the hash. ARGV: the time, the copy, a random number from 0 to 1, the id. Replies 1 if the copy
 * may probe, and the target. A probe that is lost counts as a failure at its time.
 */
export const PROBE: Script = {
  name: "probe",
  lua: `${BEGIN}
local told = {}
local id = ARGV[4]
local breaker = unpacked(redis.call('HGET', KEYS[1], id)) or fresh()
local isLost = breaker[1] == 2 and leftMs(breaker) == 0
if isLost then
  local agoMs = nowMs - breaker[4]
  open(breaker, breaker[3] + 1, ARGV[3])
  breaker[4] = breaker[4] - agoMs
end
local wins = breaker[1] ~= 0 and leftMs(breaker) == 0
if wins then
  breaker[1], breaker[6], breaker[7] = 2, ARGV[2], nowMs
  breaker[4], breaker[5] = nowMs + ${BREAKER.probeMs}, ${BREAKER.probeMs}
end
if wins or isLost then save(KEYS[1], id, breaker) end
tell(told, id, breaker)
return { wins and 1 or 0, told }`,
};

/**
 * KEYS: the hash. ARGV: the time, the copy, a random number from 0 to 1, the id, and 1 where the target
 * was asked. The copy's probe tells nothing. Replies with the target as a beat does.
 */
export const RELEASE_PROBE: Script = {
  name: "release-probe",
  lua: `${BEGIN}
local told = {}
local id = ARGV[4]
local breaker = unpacked(redis.call('HGET', KEYS[1], id)) or fresh()
if breaker[6] == ARGV[2] then
  breaker[6] = ''
  if breaker[1] == 2 then
    open(breaker, breaker[3], ARGV[3])
    if ARGV[5] == '0' then breaker[4] = nowMs end
  end
  save(KEYS[1], id, breaker)
end
tell(told, id, breaker)
return told`,
};

/**
 * KEYS: the hash. ARGV: the time, then id, level, milliseconds left, and 1 where it opened while the
 * store was away (else it is only for a store that does not know the target). Replies nothing.
 */
export const REOPEN: Script = {
  name: "reopen",
  lua: `${BEGIN}
for index = 2, #ARGV, 4 do
  local id, level, left = ARGV[index], tonumber(ARGV[index + 1]), tonumber(ARGV[index + 2])
  local known = unpacked(redis.call('HGET', KEYS[1], id))
  local breaker = known or fresh()
  if known == nil or (ARGV[index + 3] == '1' and leftMs(known) < left) then
    breaker[1], breaker[3], breaker[4], breaker[5], breaker[6] = 1, level, nowMs + left, left, ''
    breaker[7] = nowMs
    save(KEYS[1], id, breaker)
  end
end
return false`,
};
