-- Keeps a value unless there is one, and returns the one that is kept.
-- KEYS: name; ARGV: 1 value, 2 ms that it is kept after the last call with the same value
local kept = redis.call('GET', KEYS[1]) or ARGV[1]
if kept == ARGV[1] then redis.call('SET', KEYS[1], kept, 'PX', ARGV[2]) end
return kept
