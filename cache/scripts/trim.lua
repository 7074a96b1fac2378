-- Shared by the other scripts. An event of the log is an entry of a list: its commit time in ms,
-- its own time, its type and its envelope, with a space between. The last entry is that of the
-- tip, so the place of an entry is its offset.

-- commit_time returns that of an entry, and where its envelope begins.
local function commit_time(entry)
  local t, at = string.match(entry, '^(%d+) %-?%d+ %S+ ()')
  return tonumber(t), at
end

-- Drops the oldest events until the log is inside its bounds. Returns the bytes of envelopes that
-- are left and whether anything was dropped.
local function trim(log, bytes, max_events, max_bytes, oldest)
  local len = redis.call('LLEN', log)
  if len == 0 then return 0, bytes ~= 0 end
  local cut, step = 0, 1
  while true do
    local page = redis.call('LRANGE', log, cut, cut + step - 1)
    if #page == 0 then
      redis.call('DEL', log)
      return 0, true
    end
    for _, entry in ipairs(page) do
      local at, from = commit_time(entry)
      if len <= max_events and bytes <= max_bytes and at > oldest then
        if cut > 0 then redis.call('LTRIM', log, cut, -1) end
        return bytes, cut > 0
      end
      len, bytes, cut = len - 1, bytes - (#entry - from + 1), cut + 1
    end
    step = math.min(step * 2, 64)
  end
end
