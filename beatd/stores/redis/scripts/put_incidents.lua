-- Write each incident that is stored at the revision before; return a text with a 1 for each that
-- was written, and a 0 for each other.
--   ARGV: answer's key, then for each incident: id, place (kind and name), revision, opened, closed
--   or '', JSON, '1' if its end is still to be announced
local function put(id, place, revision, opened, closed, text, lasts)
  local before = match(call('HGET', base .. 'incidents', id) or '0', '^%d+')
  local open = call('HGET', base .. 'incident_of', place)
  if tonumber(before) + 1 ~= tonumber(revision) or (before == '0' and open) then return '0' end
  call('HSET', base .. 'incidents', id, revision .. '\t' .. text)
  call('ZADD', base .. 'incidents_opened', opened, id)
  if closed == '' then
    call('HSET', base .. 'incident_of', place, id)
  else
    call('ZADD', base .. 'incidents_closed', closed, id)
    if open == id then call('HDEL', base .. 'incident_of', place) end
  end
  if lasts == '1' then
    call('ZADD', base .. 'incidents_open', opened, id)
  else
    call('ZREM', base .. 'incidents_open', id)
  end
  return '1'
end
local said = call('GET', base .. ARGV[1])
if said then return said end
local written = {}
for i = 2, #ARGV, 7 do written[#written + 1] = put(unpack(ARGV, i, i + 6)) end
local answer = table.concat(written)
call('SET', base .. ARGV[1], answer, 'PX', 10000)
return answer
