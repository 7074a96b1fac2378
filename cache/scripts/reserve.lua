-- Takes one attempt from a counter. What is used is the time that the key has left to live:
-- each attempt adds the time after which there is one more.
-- KEYS: counter; ARGV: 1 attempts at once, 2 ms after which there is one more
-- Returns {1, attempts left, 0}, or {0, 0, ms until there is one again}.
local every = tonumber(ARGV[2])
local full = tonumber(ARGV[1]) * every
local used = math.min(math.max(redis.call('PTTL', KEYS[1]), 0), full)
if used + every > full then return {0, 0, used + every - full} end
redis.call('SET', KEYS[1], '1', 'PX', used + every)
return {1, math.floor((full - used - every) / every), 0}
