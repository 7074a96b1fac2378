-- Makes the caller the owner: raises the fence, restarts the count of commits, and
-- returns all that is stored but for the log. What another node owns is left as it is.
-- KEYS: state log roster presence invitations vcards outbox conversations rooms nicks readers
-- ARGV: 1 session id, 2 new epoch, 3 ttl ms, 4-6 epoch, fence and last commit that this
-- node had, if it was the owner before, 7 who takes it ("": a process that is alone here),
-- 8 the dead owner that it may be taken from, 9 "1": this node has not released it since,
-- 10-14 the latest versions that this program reads of contact, conversation, room, reader and log
local state, by = KEYS[1], ARGV[7]
local s = redis.call('HMGET', state, 'id', 'epoch', 'fence', 'c', 'owner', 'freed', 'tip', 'server', 'stale')
local here = server()
local free = 0 -- 1: it was not opened since its owner released it
local contacts, conversations, rooms, readers = {}, {}, {}, {} -- fields and rows
if not s[1] then
  -- HSET is first: without memory it fails before anything is changed. What is left of an
  -- expired record belongs to no log and goes.
  redis.call('HSET', state, 'id', ARGV[1], 'epoch', ARGV[2], 'fence', '1', 'tip', '0', 'c', '0', 'bytes', '0',
    'server', here)
  redis.call('DEL', unpack(KEYS, 2))
else
  if s[1] ~= ARGV[1] then
    return redis.error_reply('PERCH this record belongs to another session')
  end
  local held = by ~= '' and s[5] and s[5] ~= by and s[5] ~= ARGV[8]
  local fence, known, same = tonumber(s[3]), tonumber(ARGV[5]), s[2] == ARGV[4]
  -- A failover or a restart took back commits that were acknowledged to this node.
  local older = same and (fence < known or (fence == known and tonumber(s[4]) < tonumber(ARGV[6])))
  -- It may have taken back commits of an owner that has died: only this server itself knows
  -- that it did not, or an owner that has its last commit before it.
  local sure = (here ~= '' and s[8] == here) or (same and fence == known and ARGV[9] == '1')
  if not held then
    contacts, conversations, rooms = redis.call('HGETALL', KEYS[3]), states(KEYS[8]), redis.call('HGETALL', KEYS[9])
    readers = redis.call('HGETALL', KEYS[11])
    -- What a later version has written stays as it is: nothing is changed before.
    local key, record, version = later(contacts, conversations, rooms, readers)
    if key then return {'LATER', key, record, version} end
  end
  if older or not (sure or held) then
    -- Offsets that were published must not be used twice: a new log begins. The mark stays
    -- until an owner has written the session as a whole.
    local at = s[9]
    if not at then at = last_commit(KEYS[2], s[7]) or '0' end
    redis.call('HSET', state, 'epoch', ARGV[2], 'tip', '0', 'bytes', '0', 'stale', at)
    redis.call('DEL', KEYS[2])
  end
  if held then return {'HELD', s[5]} end
  if s[6] == s[3] .. '.' .. s[4] then free = 1 end
  redis.call('HINCRBY', state, 'fence', 1)
  redis.call('HSET', state, 'c', '0', 'server', here)
  relist(KEYS[2])
end
if by ~= '' then
  redis.call('HSET', state, 'owner', by)
else
  redis.call('HDEL', state, 'owner')
end
redis.call('PEXPIRE', state, ARGV[3])
for i = 3, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
local now = redis.call('HMGET', state, 'fence', 'epoch', 'tip', 'record', 'stale')
return {now[1], now[2], now[3], now[4] or '',
  contacts, redis.call('HGETALL', KEYS[4]),
  redis.call('HGETALL', KEYS[5]), redis.call('HGETALL', KEYS[7]), free, now[5] or '', conversations, rooms, redis.call('HGETALL', KEYS[10]),
  readers}
