-- Shared by the scripts that prove a log: which history of data this server writes. The run
-- id changes with every start, and the replication id when a replica becomes the master, so
-- as long as both are the same, nothing that was acknowledged can have been taken back.
-- '' when INFO does not say: that proves nothing.
local function server()
  local info = redis.call('INFO', 'server', 'replication')
  local run, replication = string.match(info, 'run_id:(%x+)'), string.match(info, 'master_replid:(%x+)')
  if not (run and replication) then return '' end
  return string.sub(run, 1, 16) .. string.sub(replication, 1, 16)
end
