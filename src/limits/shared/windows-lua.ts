import { NOW } from "./script-time.ts";

/**
 * What the scripts of windows share. A bucket is one string: a head of 14 bytes, then 12 bytes an
 * entry, oldest first, so that a window is found by halving and not by reading every entry (a list of
 * 290 entries took ten times as long).
 *
 * Head: 7 bytes when the masks were begun, 1 byte of windows named since then, 1 byte of those named
 * before, 5 bytes of calls that have left. Entry: 7 bytes of time, 5 bytes of calls that have left or
 * came up to and with it; it has at least one call of its own. All big-endian; times are microseconds.
 *
 * A mask names windows by the length of each: 1, 2, 4, 8 for second, minute, hour, day, and the same
 * times 16 for those whose limit is exact. The log is kept for all of them, because copies may have
 * different limits during a rollout, and tokens get new ones.
 */
export const WINDOWS_LUA = `
local HEAD, SIZE = 14, 12
local LENGTHS = {1000000, 60000000, 3600000000, 86400000000}
local SPANS = 64
local pack, unpack = struct.pack, struct.unpack
local band, bor, rshift = bit.band, bit.bor, bit.rshift

local function timeAt(log, index)
  return (unpack('>I7', log, HEAD + (index - 1) * SIZE + 1))
end

-- calls that have left or came up to and with this entry; 0 is the head
local function callsTo(log, index)
  return (unpack('>I5', log, HEAD + index * SIZE - 4))
end

-- the first entry of low to high - 1 that is younger; high if there is none
local function firstAfter(log, time, low, high)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if timeAt(log, middle) > time then high = middle else low = middle + 1 end
  end
  return low
end

-- what a mask keeps entries for
local function longest(mask)
  for index = 4, 1, -1 do
    if band(mask, 2 ^ (index - 1)) ~= 0 then return LENGTHS[index] end
  end
  return 0
end

-- windows of a mask, longest first, with the length of the spans that share an entry where only it
-- and the longer ones see: 0 if one of these is exact
local function spansOf(mask)
  local windows, exact = {}, false
  for index = 4, 1, -1 do
    if band(mask, 2 ^ (index - 1)) ~= 0 then
      exact = exact or band(mask, 2 ^ (index + 3)) ~= 0
      table.insert(windows, {LENGTHS[index], exact and 0 or LENGTHS[index] / SPANS})
    end
  end
  return windows
end

local function isSameSpan(one, other, span)
  return span > 0 and math.floor(one / span) == math.floor(other / span)
end

-- entries as {time, calls}, oldest first: leaves out what no window sees, joins those of one span
local function joined(entries, mask, now)
  local windows, seeing, out = spansOf(mask), 0, {}
  local newest, newestSpan
  for _, entry in ipairs(entries) do
    local time, calls = entry[1], entry[2]
    while seeing < #windows and windows[seeing + 1][1] > now - time do seeing = seeing + 1 end
    if seeing > 0 then
      local span = windows[seeing][2]
      if newest and (newest[1] == time or span == newestSpan and isSameSpan(newest[1], time, span)) then
        newest[1], newest[2] = time, newest[2] + calls
      else
        newest = {time, calls}
        table.insert(out, newest)
      end
      newestSpan = span
    end
  end
  return out, #windows
end

-- a log of 65 entries a window at most: more than that only if copies disagree, and then none is exact
local function compacted(entries, head, mask, now)
  local out, windows = joined(entries, mask, now)
  if #out > windows * (SPANS + 1) then out = joined(out, band(mask, 15), now) end
  local parts, calls = {head .. pack('>I5', 0)}, 0
  for _, entry in ipairs(out) do
    calls = calls + entry[2]
    table.insert(parts, pack('>I7I5', entry[1], calls))
  end
  return table.concat(parts), #out
end

local function entriesOf(log, length)
  local entries, earlier = {}, callsTo(log, 0)
  for index = 1, length do
    local time, calls = unpack('>I7I5', log, HEAD + (index - 1) * SIZE + 1)
    table.insert(entries, {time, calls - earlier})
    earlier = calls
  end
  return entries
end

${NOW}local key = KEYS[1]
local log = redis.call('GET', key)
local length, begun, named, before = 0, now, 0, 0
local clockWentBack = false
if log then
  length = (#log - HEAD) / SIZE
  begun, named, before = unpack('>I7BB', log)
  begun = math.min(begun, now)
else
  log = pack('>I7BBI5', now, 0, 0, 0)
end
-- the clock of the store went back: what is yet to come counts as of now
if length > 0 and timeAt(log, length) > now then
  clockWentBack = true
  local calls = callsTo(log, length)
  length = firstAfter(log, now, 1, length + 1)
  log = string.sub(log, 1, HEAD + (length - 1) * SIZE) .. pack('>I7I5', now, calls)
end

-- names windows for as long as the longest, and up to twice that, and returns all that count
local function name(mask)
  if now - begun > longest(bor(named, before)) then
    begun, before, named = now, named, mask
  else
    named = bor(named, mask)
  end
  return bor(named, before)
end

local function headOf()
  return pack('>I7BB', begun, named, before)
end

-- whether windows would be forgotten, although calls are counted in them
local function mustName(mask)
  return band(named, mask) ~= mask or now - begun > longest(bor(named, before))
end

local function write(text, mask)
  redis.call('SET', key, text, 'PX', math.ceil(longest(mask) / 1000))
end
`;
