-- Renews the entry of a node and returns all nodes.
-- KEYS: beats names dead released
-- ARGV: 1 node id, 2 its name and the slash, 3 the node as JSON, 4 time of its last beat
-- that was answered (0: none was), 5 ms that an entry is kept, 6 ms that the dead are listed,
-- 7 ms that they are remembered, 8 ms that a released session is listed, 9 how many
local beats, names, dead, released = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local self, name, node, answered, keep = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local now, missed = clock(), -1
local function since(at) return math.max(0, now - at) end -- a clock may be set back

-- Who was replaced or has left is not made alive again.
local dead_since = redis.call('ZSCORE', dead, self)
if not dead_since then
  local before = tonumber(redis.call('ZSCORE', beats, self))
  -- ZADD first: without memory it fails before anything is changed.
  redis.call('ZADD', beats, now, self)
  local born, old = string.match(redis.call('HGET', names, self) or '', '^(%d+) (.*)$')
  if not (before and born) then
    born = string.format('%.0f', now)
  elseif answered == 0 then
    missed = since(before)
  elseif tonumber(born) <= answered then
    -- A beat whose answer was lost renewed the entry, but the node learned nothing from it.
    missed = since(math.min(before, answered))
  end
  if old ~= node or missed < 0 then redis.call('HSET', names, self, born .. ' ' .. node) end
  redis.call('PEXPIRE', beats, keep)
  redis.call('PEXPIRE', names, keep)
end

local members, all = {}, redis.call('ZRANGE', beats, 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  local id, at = all[i], tonumber(all[i + 1])
  local same = name ~= '' and string.sub(id, 1, #name) == name and not string.find(id, '/', #name + 1, true)
  if id ~= self and same and not dead_since then
    redis.call('ZADD', dead, now, id)
    redis.call('PEXPIRE', dead, ARGV[7])
    redis.call('ZREM', beats, id)
    redis.call('HDEL', names, id)
  elseif since(at) > keep then
    redis.call('ZREM', beats, id)
    redis.call('HDEL', names, id)
  else
    if at > now then redis.call('ZADD', beats, now, id) end -- or it would be young for long
    local row = string.match(redis.call('HGET', names, id) or '', '^%d+ (.*)$')
    table.insert(members, {id, row or '', since(at)})
  end
end

redis.call('ZREMRANGEBYSCORE', dead, '-inf', now - ARGV[7])
redis.call('ZREMRANGEBYSCORE', released, '-inf', now - ARGV[8])
local listed = redis.call('ZRANGE', dead, '(' .. string.format('%.0f', now - ARGV[6]), '+inf', 'BYSCORE')
if dead_since and tonumber(dead_since) <= now - ARGV[6] then table.insert(listed, self) end
return {string.format('%.0f', now), missed, members, listed, redis.call('ZRANGE', released, 0, ARGV[9] - 1)}
