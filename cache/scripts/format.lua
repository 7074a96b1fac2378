-- Notes which versions of records may be stored, and by which program they were first written. A version
-- is raised and never lowered; what is not known here is left as it is. Returns all that is noted.
-- KEYS: format; ARGV: 1 ms that it is kept, 2 the version of the program, 3... a record and its version
for i = 3, #ARGV, 2 do
  local noted = string.match(redis.call('HGET', KEYS[1], ARGV[i]) or '', '^%d+')
  if not noted or tonumber(noted) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[2])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
