import type { Script } from "./store.ts";
import { WINDOWS_LUA } from "./windows-lua.ts";

/**
 * Takes calls from all windows of a bucket, or from none; a refusal writes nothing, unless the clock
 * went back or its windows must be named again. KEYS: the bucket. ARGV: the time in microseconds (0 = the store's), calls, 1 to count them
 * or 0 to look, the mask of the windows, then length in microseconds and limit of each, shortest first.
 * Replies with 1 or 0 for admitted or not, the time, and for each window its calls, the microseconds
 * until the oldest leaves (0 without one), and until the calls have room (0 = now, -1 = never).
 */
export const TAKE: Script = {
  name: "take",
  lua: `${WINDOWS_LUA}
local calls, counts, mask = tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])

-- as ARGV has them: how each stands, and the first entry that the longest sees
local function states(more)
  local reply, first, total, admitted = {1, now}, length + 1, callsTo(log, length), 1
  for index = 5, #ARGV, 2 do
    local limit, gone = tonumber(ARGV[index + 1]), now - tonumber(ARGV[index])
    first = firstAfter(log, gone, 1, first)
    local inside, room = total - callsTo(log, first - 1), 0
    if more > limit then
      room = -1
    elseif inside + more > limit then
      local low, high = first, length
      while low < high do
        local middle = math.floor((low + high) / 2)
        if total - callsTo(log, middle) + more <= limit then high = middle else low = middle + 1 end
      end
      room = timeAt(log, low) - gone
    end
    if room ~= 0 then admitted = 0 end
    table.insert(reply, inside)
    table.insert(reply, first <= length and timeAt(log, first) - gone or 0)
    table.insert(reply, room)
  end
  reply[1] = admitted
  return reply, first
end

local reply = states(calls)
if reply[1] == 0 or not counts then
  if counts and length > 0 and (clockWentBack or mustName(mask)) then
    local all = name(mask)
    write(headOf() .. string.sub(log, HEAD - 4), all)
  end
  return reply
end

local all = name(mask)
local first = firstAfter(log, now - longest(all), 1, length + 1)
local total, windows = callsTo(log, length) + calls, spansOf(all)
local newest = length > 0 and timeAt(log, length)
local joins = newest and (newest == now or isSameSpan(newest, now, windows[#windows][2]))
local kept = string.sub(log, HEAD + (first - 1) * SIZE + 1, HEAD + (joins and length - 1 or length) * SIZE)
log = headOf() .. pack('>I5', callsTo(log, first - 1)) .. kept .. pack('>I7I5', now, total)
length = (#log - HEAD) / SIZE
if length > 1.5 * #windows * (SPANS + 1) or total > 2 ^ 38 then
  log, length = compacted(entriesOf(log, length), headOf(), all, now)
end
write(log, all)
return states(0)
`,
};

/**
 * Takes counted calls back: they are in the oldest entry that is not older, as long as any window sees
 * them. KEYS: the bucket. ARGV: the time as above, when they were counted, calls.
 */
export const RELEASE: Script = {
  name: "release",
  lua: `${WINDOWS_LUA}
local counted, calls = tonumber(ARGV[2]), tonumber(ARGV[3])
local all = bor(named, before)
local index = firstAfter(log, counted - 1, 1, length + 1)
if index > length or counted <= now - longest(all) then return 0 end
local entries = entriesOf(log, length)
local taken = math.min(calls, entries[index][2])
local parts, total = {string.sub(log, 1, HEAD + (index - 1) * SIZE)}, callsTo(log, index - 1)
entries[index][2] = entries[index][2] - taken
for later = index, length do
  total = total + entries[later][2]
  if entries[later][2] > 0 then table.insert(parts, pack('>I7I5', entries[later][1], total)) end
end
if #parts == 1 and index == 1 then redis.call('DEL', key) else write(table.concat(parts), all) end
return taken
`,
};

/**
 * Adds calls that were admitted elsewhere, over the limits if need be. KEYS: the bucket. ARGV: the time
 * as above, the mask of the windows, then age in microseconds and calls of each entry, oldest first.
 */
export const ADD: Script = {
  name: "add",
  lua: `${WINDOWS_LUA}
local all = name(tonumber(ARGV[2]))
local entries, index, known = {}, 1, entriesOf(log, length)
for at = 3, #ARGV, 2 do
  local time = now - math.max(0, tonumber(ARGV[at]))
  while index <= length and known[index][1] <= time do
    table.insert(entries, known[index])
    index = index + 1
  end
  table.insert(entries, {time, tonumber(ARGV[at + 1])})
end
while index <= length do
  table.insert(entries, known[index])
  index = index + 1
end
log, length = compacted(entries, headOf(), all, now)
if length > 0 then write(log, all) end
return length
`,
};
