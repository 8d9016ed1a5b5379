-- Delete up to one batch of the oldest lines, and return their number.   ARGV: before, keep, batch
write_up_if_taken()
local before, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
local history = base .. 'history'
local length, dropped, first = call('XLEN', history), 0, nil
for _, line in ipairs(call('XRANGE', history, '-', '+', 'COUNT', ARGV[3])) do
  first = tonumber(match(line[1], '^%d+'))
  if first >= before and length - dropped <= keep then break end
  dropped = dropped + 1
  local name = line[2][2]
  if name and tail_of(name) == line[1] then
    call('HDEL', base .. 'tails', name)
    tails[name] = false
  end
end
if dropped > 0 then
  call('XTRIM', history, 'MAXLEN', length - dropped)
  if call('HLEN', base .. 'bridges') > 0 then
    for _, id in ipairs(call('HKEYS', base .. 'bridges')) do
      if tonumber(match(id, '^%d+') or 0) < first then call('HDEL', base .. 'bridges', id) end
    end
  end
end
return dropped
