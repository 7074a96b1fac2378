-- Shared by the other scripts: drops the oldest events until the log is inside its
-- bounds. Entries are {t, commit time in ms, e, event time, y, type, w, envelope}.
-- Returns the bytes that are left and whether anything was dropped.
local function trim(log, bytes, max_events, max_bytes, oldest)
  local len = redis.call('XLEN', log)
  if len == 0 then return 0, bytes ~= 0 end
  local from, cut, step = '-', false, 1
  while true do
    local page = redis.call('XRANGE', log, from, '+', 'COUNT', step)
    if #page == 0 then
      redis.call('DEL', log)
      return 0, true
    end
    for _, entry in ipairs(page) do
      local f = entry[2]
      if len <= max_events and bytes <= max_bytes and tonumber(f[2]) > oldest then
        if cut then redis.call('XTRIM', log, 'MINID', entry[1]) end
        return bytes, cut
      end
      len, bytes, cut, from = len - 1, bytes - #f[8], true, '(' .. entry[1]
    end
    step = math.min(step * 2, 64)
  end
end
