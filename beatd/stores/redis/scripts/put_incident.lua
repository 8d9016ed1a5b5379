-- Write an incident if it is stored at the revision before; return 1, or 0 with nothing done.
--   ARGV: answer's key, id, place (kind and name), revision, opened, closed or '', JSON,
--   '1' if its end is still to be announced
local remember, id, place, revision, opened, closed, text, lasts = unpack(ARGV)
local said = call('GET', base .. remember)
if said then return tonumber(said) end
local before = match(call('HGET', base .. 'incidents', id) or '0', '^%d+')
local open = call('HGET', base .. 'incident_of', place)
if tonumber(before) + 1 ~= tonumber(revision) or (before == '0' and open) then return 0 end
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
call('SET', base .. remember, 1, 'PX', 10000)
return 1
