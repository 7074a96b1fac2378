-- Notes when a token of a session was used last, unless it has ended meanwhile: nothing would take away then
-- what is noted of it.
-- KEYS: uses tokens; ARGV: 1 token, 2 its use, 3 ms that it is kept
for _, token in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if token == ARGV[1] then
    redis.call('HSET', KEYS[1], token, ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return 1
  end
end
return 0
