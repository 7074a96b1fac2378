-- Notes a token of a session, and names those that this makes too many, oldest first. They
-- stay noted until their own keys, which are in other slots of a cluster, have gone: Forget
-- finds tokens here.
-- KEYS: tokens minted; ARGV: 1 token, 2 ms that it is kept, 3 how many minted ones are kept
-- ("0": this one is not minted)
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local most, over = tonumber(ARGV[3]), {}
if most == 0 then return over end
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
redis.call('ZADD', KEYS[2], 'NX', tonumber(last or '0') + 1, ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
for _, token in ipairs(redis.call('ZRANGE', KEYS[2], 0, -(most + 1))) do
  if token ~= ARGV[1] then table.insert(over, token) end
end
return over
