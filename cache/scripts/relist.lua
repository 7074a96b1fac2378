-- Versions before kept the log as a stream of entries {t, commit time, e, event time, y, type, w,
-- envelope}. These are for open.lua: no other script meets such a log.

local function is_stream(log) return redis.call('TYPE', log).ok == 'stream' end

-- last_commit returns the commit time of the event at the tip, or nil.
local function last_commit(log, tip)
  if is_stream(log) then
    local last = redis.call('XRANGE', log, tip .. '-1', tip .. '-1')[1]
    return last and last[2][2]
  end
  local last = redis.call('LINDEX', log, -1)
  return last and string.match(last, '^%d+')
end

-- relist makes a list of a stream, with the same events and the same end.
local function relist(log)
  if not is_stream(log) then return end
  local life, entries = redis.call('PTTL', log), redis.call('XRANGE', log, '-', '+')
  redis.call('DEL', log)
  for _, entry in ipairs(entries) do
    local f = entry[2]
    redis.call('RPUSH', log, f[2] .. ' ' .. f[4] .. ' ' .. f[6] .. ' ' .. f[8])
  end
  if life > 0 then redis.call('PEXPIRE', log, life) end
end
