-- Return one entry's history, newest first: the id to continue from ('' at the end), then the lines.
--   ARGV: name, id to begin with ('' = its newest), limit
local name, id = ARGV[1], ARGV[2]
if id == '' then
  write_up_if_taken()
  id = tail_of(name)
end
local reply = {''}
for _ = 1, tonumber(ARGV[3]) do
  if not id or id == '' then return reply end
  local line = find(id, '^%d+%-%d+$') and call('XRANGE', base .. 'history', id, id)[1]
  if line then
    reply[#reply + 1] = line
    id = line[2][4]
  else
    id = call('HGET', base .. 'bridges', id)
  end
end
reply[1] = id or ''
return reply
