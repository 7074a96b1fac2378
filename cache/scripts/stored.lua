-- Describes what is stored of a session, and changes nothing.
-- KEYS: state log outbox rooms; ARGV: 1 session id
local s = redis.call('HMGET', KEYS[1], 'id', 'owner', 'epoch', 'tip', 'record')
if s[1] ~= ARGV[1] then return {} end
-- Of a log that an earlier version has written, or a later one, nothing is counted.
local events = redis.call('TYPE', KEYS[2]).ok == 'list' and redis.call('LLEN', KEYS[2]) or 0
return {s[2] or '', s[3], s[4], s[5] or '', events, #redis.call('HGETALL', KEYS[3]) / 2, #redis.call('HGETALL', KEYS[4]) / 2,
  redis.call('PTTL', KEYS[1])}
