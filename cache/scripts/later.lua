-- states returns the fields and rows of the states of conversations alone: their details are read when
-- they are asked for.
local function states(key)
  local all, list = redis.call('HGETALL', key), {}
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 1) == 's' then
      table.insert(list, all[i])
      table.insert(list, all[i + 1])
    end
  end
  return list
end

-- later finds what is of a later version than the caller reads: its key, its kind and its version, or
-- nothing. KEYS and ARGV are those of open.lua.
local function later(contacts, conversations, rooms, readers)
  local function beyond(rows, latest, version)
    for i = 2, #rows, 2 do
      local v = version(rows[i])
      if v > tonumber(latest) then return v end
    end
  end
  local v = beyond(contacts, ARGV[10], function(row) return math.floor((string.byte(row) or 0) / 64) - 1 end)
  if v then return KEYS[3], 'contact', v end
  v = beyond(conversations, ARGV[11], function(row) return string.byte(row) or 0 end)
  if v then return KEYS[8], 'conversation', v end
  local function numbered(row) return tonumber(string.match(row, '^{"v":(%d+)')) or 0 end
  v = beyond(rooms, ARGV[12], numbered)
  if v then return KEYS[9], 'room', v end
  v = beyond(readers, ARGV[13], numbered)
  if v then return KEYS[11], 'reader', v end
  local kind = redis.call('TYPE', KEYS[2]).ok
  if kind ~= 'none' and kind ~= 'list' and kind ~= 'stream' then return KEYS[2], 'log', tonumber(ARGV[14]) + 1 end
end
