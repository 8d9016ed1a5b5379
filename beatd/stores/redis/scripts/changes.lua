-- Return one entry's records of changes, newest first.
--   ARGV: name, limit, id of a record to return only older ones ('' = all)
local name, limit, before = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local id, reply = call('HGET', base .. 'newest_changes', name), {}
if before ~= '' then
  local record = change_at(before)
  if not record then return reply end -- it was deleted, and all older ones with it
  if record[2][2] == name then id = id_before(record) end
end
while #reply < limit do
  local record = change_at(id)
  if not record then break end
  if before == '' or is_older(id, before) then reply[#reply + 1] = record end
  id = id_before(record)
end
return reply
