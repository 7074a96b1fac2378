-- A page of the log and its bounds at this moment. What is too old is dropped first.
-- KEYS: state log
-- ARGV: 1 session id, 2 first offset wanted, 3 limit, 4 events, 5 bytes, 6 oldest
local s = redis.call('HMGET', KEYS[1], 'id', 'tip', 'bytes', 'epoch')
if not s[1] then return {'LOST'} end
if s[1] ~= ARGV[1] then return redis.error_reply('PERCH this record belongs to another session') end
local left, cut = trim(KEYS[2], tonumber(s[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]))
-- Without memory this write is refused, but only when nothing was trimmed before it; the
-- count is put right by the next write then.
if cut then redis.pcall('HSET', KEYS[1], 'bytes', left) end
local tip, len, wanted, page = tonumber(s[2]), redis.call('LLEN', KEYS[2]), tonumber(ARGV[2]), {}
local from = math.max(wanted - (tip - len + 1), 0) -- the place of the first event of the page
if ARGV[3] ~= '0' and wanted <= tip then page = redis.call('LRANGE', KEYS[2], from, from + tonumber(ARGV[3]) - 1) end
return {'OK', s[2], len, s[4], page, from}
