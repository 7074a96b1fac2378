-- Gives a token of a session another name, in the same place among the minted ones. The old name stays in
-- the index until its own key, which is in another slot of a cluster, has gone.
-- KEYS: tokens minted; ARGV: 1 old name, 2 new name, 3 ms that it is kept, 4 "1": it is a minted one
redis.call('SADD', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[4] ~= '1' then return 0 end
local place = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not place then
  local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
  place = tonumber(last or '0') + 1
end
redis.call('ZADD', KEYS[2], 'NX', place, ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 0
