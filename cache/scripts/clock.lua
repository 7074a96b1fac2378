-- Shared by the scripts about nodes: the time of this Redis in ms since 1970. No node's own
-- clock takes part in saying who is alive.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
