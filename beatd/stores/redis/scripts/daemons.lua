-- Return the presences that have not expired, and delete the others.
local now, reply, all = tonumber(clock()), {}, call('HGETALL', base .. 'daemons')
for place = 1, #all, 2 do
  local ends, presence = match(all[place + 1], '^(%d+)\t(.*)$')
  if ends and tonumber(ends) > now then
    reply[#reply + 1] = presence
  else
    call('HDEL', base .. 'daemons', all[place])
  end
end
return reply
