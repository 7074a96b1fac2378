-- Ends a token, but only if it (still) leads to the session named.
-- KEYS: token; ARGV: session id
local v = redis.call('GET', KEYS[1])
if v and cjson.decode(v).id == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
