-- Gives an attempt back to a counter.
-- KEYS: counter; ARGV: 1 ms after which there is one more
local used = redis.call('PTTL', KEYS[1]) - tonumber(ARGV[1])
if used > 0 then return redis.call('PEXPIRE', KEYS[1], used) end
return redis.call('DEL', KEYS[1])
