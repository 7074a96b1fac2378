-- Stores a value unless there is one, and returns the one that is stored.
-- KEYS: name; ARGV: 1 value, 2 ms that it is kept after the last call with the same value
local agreed = redis.call('GET', KEYS[1]) or ARGV[1]
if agreed == ARGV[1] then redis.call('SET', KEYS[1], agreed, 'PX', ARGV[2]) end
return agreed
