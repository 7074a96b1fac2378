-- Writes what a token leads to anew, if it is still what was read; it ends when it would have.
-- KEYS: token; ARGV: 1 what was read, 2 what is written, both as JSON
-- Returns 1, or 0 when it has changed or ended.
local v = redis.call('GET', KEYS[1])
if not v or v == ARGV[2] then return v and 1 or 0 end
local there, was = cjson.decode(v), cjson.decode(ARGV[1])
for _, field in ipairs({'id', 'sealed', 'replaced', 'k', 's'}) do
  if there[field] ~= was[field] then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
