-- Lists released sessions, for the next nodes that beat.
-- KEYS: released; ARGV: 1 ms that they are listed, then the session ids
local now = clock()
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'OK'}
