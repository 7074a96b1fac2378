-- Stores a value unless there is one that is none of the last arguments, and returns the one that is stored.
-- KEYS: name; ARGV: 1 value, 2 ms that it is kept after the last call with the same value, 3... values that it replaces
local agreed = redis.call('GET', KEYS[1]) or ARGV[1]
for i = 3, #ARGV do
  if agreed == ARGV[i] then agreed = ARGV[1] end
end
if agreed == ARGV[1] then redis.call('SET', KEYS[1], agreed, 'PX', ARGV[2]) end
return agreed
