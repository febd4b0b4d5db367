/**
 * Lua that begins a script whose first argument is a time in microseconds, 0 for the store's own:
 * `now`, in microseconds. Numbers of this size keep their digits only as arguments of `redis.call`.
 */
export const NOW = `
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
`;

/** The first argument of such a script: the store's own time. */
export const STORE_TIME = 0;
