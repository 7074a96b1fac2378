-- Applies one commit, all of it or nothing: everything is checked before the first write.
-- KEYS: state log roster presence invitations vcards outbox conversations rooms nicks readers kept, then the
-- keys of the message records, then the key of the idempotency record if there is one.
-- ARGV: see arguments in redis_encode.go, which writes them in this order.
local state, log, kept = KEYS[1], KEYS[2], KEYS[12]
local sid, fence, epoch, n, prev = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local now, oldest, ttl, slack = ARGV[6], tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
local max_events, max_bytes, age = tonumber(ARGV[10]), tonumber(ARGV[11]), ARGV[12]
local record, keep_ms, keep_until, once = ARGV[13], ARGV[14], ARGV[15], ARGV[16]
local first, count, release = tonumber(ARGV[17]), tonumber(ARGV[18]), ARGV[19] == '1'
local at = 20 -- where the next part begins

local s = redis.call('HMGET', state, 'id', 'fence', 'epoch', 'tip', 'c', 'bytes', 'freed')
if not s[1] then return {'LOST'} end
if s[1] ~= sid then return redis.error_reply('PERCH this record belongs to another session') end
if n == 0 or s[3] ~= epoch then return {'FENCED'} end
local tip, c, bytes = tonumber(s[4]), tonumber(s[5]), tonumber(s[6])
-- freed has the fence and the commit with which the session was released last. That owner
-- gets its answers again when they were lost, even if the session has another owner since;
-- nothing new is accepted from it.
local giver, given = string.match(s[7] or '', '^(%d+)%.(%d+)$')
if giver == fence then
  c = tonumber(given)
  if n > c then return {'FENCED'} end
else
  if tonumber(s[2]) > tonumber(fence) then return {'FENCED'} end
  if s[2] ~= fence then return {'LOST'} end -- the fence went back: so did the data
end
if c < prev then return {'BEHIND'} end

local last = first + count - 1
local mine = fence .. '.' .. ARGV[4] .. ' '
local function give_up()
  redis.call('HSET', state, 'freed', fence .. '.' .. ARGV[4])
  redis.call('HDEL', state, 'owner')
end
local old = once ~= '' and redis.call('GET', KEYS[#KEYS])
if n <= c then
  -- Sent again after a lost answer: say what was said the first time.
  if old and string.sub(old, 1, #mine) ~= mine then return {'EXISTS', old} end
  if count > 0 and last > tip then return {'ORDER'} end
  return {'OK'}
end

if count > 0 and first ~= tip + 1 then
  if first > 0 and last <= tip then
    -- The owner repeats events. Others under the same offsets would be another past.
    local place = last - tip - 1 -- from the end
    local e = place >= -redis.call('LLEN', log) and redis.call('LINDEX', log, place)
    if e and string.sub(e, select(2, commit_time(e))) ~= ARGV[at + 3 * count - 1] then return {'LOST'} end
    redis.call('HSET', state, 'c', ARGV[4])
    if release then give_up() end
    return {'OK'}
  end
  redis.call('HSET', state, 'c', ARGV[4])
  return {'ORDER'}
end
if old then
  redis.call('HSET', state, 'c', ARGV[4])
  return {'EXISTS', old}
end

-- From here on nothing is refused. HSET is the first write: without memory it fails
-- before anything is changed.
redis.call('HSET', state, 'c', ARGV[4])
if record ~= '' then redis.call('HSET', state, 'record', record) end
if release then give_up() end

if count > 0 then
  if bytes > 0 and redis.call('EXISTS', log) == 0 then bytes = 0 end
  for i = 0, count - 1 do
    local wire = ARGV[at + 2]
    redis.call('RPUSH', log, now .. ' ' .. ARGV[at] .. ' ' .. ARGV[at + 1] .. ' ' .. wire)
    bytes, at = bytes + #wire, at + 3
  end
  redis.call('PEXPIRE', log, age)
end
local left, cut = trim(log, bytes, max_events, max_bytes, oldest)
if count > 0 then
  redis.call('HSET', state, 'tip', last, 'bytes', left)
elseif cut then
  redis.call('HSET', state, 'bytes', left)
end

-- The cards by when they were put, the oldest first, with their sizes: when they are too many
-- or too large, the oldest go. They can be fetched again.
local function bound_cards(key, from)
  local had, list, fresh, total = redis.call('HGET', state, 'cards'), {}, {}, 0
  local reset, dels = ARGV[from] == '1', tonumber(ARGV[from + 1])
  local first = from + 3 + dels
  local last = first + 2 * tonumber(ARGV[first - 1]) - 2
  for d = from + 2, from + 1 + dels do fresh[ARGV[d]] = true end
  for p = first, last, 2 do fresh[ARGV[p]] = true end
  if had and not reset then
    for _, card in ipairs(cjson.decode(had)) do
      if not fresh[card[1]] then table.insert(list, card) end
    end
  end
  local size = {}
  for p = first, last, 2 do size[ARGV[p]] = #ARGV[p + 1] end
  for p = first, last, 2 do
    if size[ARGV[p]] then table.insert(list, {ARGV[p], size[ARGV[p]]}) end
    size[ARGV[p]] = nil
  end
  for _, card in ipairs(list) do total = total + card[2] end
  local n = 0
  while #list - n > 1000 or (total > 8388608 and #list - n > 1) do
    n = n + 1
    total = total - list[n][2]
    redis.call('HDEL', key, list[n][1])
  end
  local left = {}
  for k = n + 1, #list do table.insert(left, list[k]) end
  redis.call('HSET', state, 'cards', cjson.encode(left))
end

-- The states of all conversations are written anew: those that are not among them go, with their
-- details.
local function only(key, from)
  local first, there = from + 3 + tonumber(ARGV[from + 1]), {}
  for p = first, first + 2 * tonumber(ARGV[first - 1]) - 2, 2 do there[string.sub(ARGV[p], 2)] = true end
  local had = redis.call('HGETALL', key)
  for f = 1, #had, 2 do
    if not there[string.sub(had[f], 2)] then redis.call('HDEL', key, had[f]) end
  end
end

-- Of too many rows those that are new are left out. Only a new one needs to know how many there are.
local function put_bounded(key, from, puts, most)
  local have
  for p = from, from + 2 * puts - 1, 2 do
    if redis.call('HSET', key, ARGV[p], ARGV[p + 1]) == 1 then
      have = have and have + 1 or #redis.call('HGETALL', key) / 2
      if have > most then
        redis.call('HDEL', key, ARGV[p])
        have = have - 1
      end
    end
  end
end

-- A table: reset, number of deletions, the fields, number of puts, field and value each. The
-- contacts have the presence in them: the hash of the presence is of earlier versions, whose rows
-- the first owner of this one writes anew.
for _, i in ipairs({3, 5, 6, 7, 8, 9, 10, 11}) do
  local key, from = KEYS[i], at
  if ARGV[at] == '1' and i == 8 then
    only(key, from)
  elseif ARGV[at] == '1' then
    redis.call('DEL', key)
    if i == 3 then redis.call('DEL', KEYS[4]) end
    -- The owner has written all that it knows: nothing of a record that went back is left.
    if i == 7 and record ~= '' then redis.call('HDEL', state, 'stale') end
  end
  local dels = tonumber(ARGV[at + 1])
  at = at + 2
  -- Of most contacts that change there is no nickname, and of most sessions none at all.
  if dels > 0 and (i ~= 10 or redis.call('EXISTS', key) == 1) then
    for d = at, at + dels - 1 do redis.call('HDEL', key, ARGV[d]) end
  end
  at = at + dels
  local puts = tonumber(ARGV[at])
  at = at + 1
  if i == 9 then
    put_bounded(key, at, puts, 500)
  elseif i == 11 then
    put_bounded(key, at, puts, 30)
  else
    for p = at, at + 2 * puts - 1, 200 do
      redis.call('HSET', key, unpack(ARGV, p, math.min(p + 199, at + 2 * puts - 1)))
    end
  end
  at = at + 2 * puts
  if puts > 0 then redis.call('PEXPIRE', key, ttl, 'NX') end
  if i == 6 and (puts > 0 or dels > 0) then bound_cards(key, from) end
end

-- Records that end by themselves, and the index by which Forget finds them.
local timed = #KEYS - 12
if timed > 0 then
  if once ~= '' then
    redis.call('SET', KEYS[#KEYS], mine .. once, 'PX', keep_ms)
    redis.call('ZADD', kept, keep_until, KEYS[#KEYS])
    timed = timed - 1
  end
  for i = 1, timed do
    redis.call('SET', KEYS[12 + i], ARGV[at], 'PX', keep_ms)
    redis.call('ZADD', kept, keep_until, KEYS[12 + i])
    at = at + 1
  end
  redis.call('ZREMRANGEBYSCORE', kept, '-inf', now)
  -- The oldest go when there are too many.
  local over = redis.call('ZRANGE', kept, 0, -(20000 + 1))
  for _, key in ipairs(over) do
    redis.call('DEL', key)
    redis.call('ZREM', kept, key)
  end
  redis.call('PEXPIRE', kept, keep_ms)
end

-- Writes extend the life of the state, in steps: a write costs no more than this
-- look most of the time.
if redis.call('PTTL', state) < tonumber(ttl) - slack then
  redis.call('PEXPIRE', state, ttl)
  for i = 3, 11 do redis.call('PEXPIRE', KEYS[i], ttl) end
  return {'EXTEND'}
end
return {'OK'}
