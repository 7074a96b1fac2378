-- Lets a token lead to a session, unless it leads to another one.
-- KEYS: token; ARGV: 1 session id, 2 the binding as JSON, 3 ms that it is kept
-- Returns 1, or 0 when the token is taken.
local v = redis.call('GET', KEYS[1])
if v and cjson.decode(v).id ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
