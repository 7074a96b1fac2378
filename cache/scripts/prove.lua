-- Notes that a live owner has found its last commit on this server: an owner that opens the
-- session later, as long as the server is the same, need not doubt the log.
-- KEYS: state
-- ARGV: 1 session id, 2 fence, 3 epoch, 4 last commit that was answered
local s = redis.call('HMGET', KEYS[1], 'id', 'fence', 'epoch', 'c', 'server')
if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] or s[3] ~= ARGV[3] or tonumber(s[4]) < tonumber(ARGV[4]) then return 0 end
local here = server()
if here ~= '' and here ~= s[5] then redis.call('HSET', KEYS[1], 'server', here) end
return 1
