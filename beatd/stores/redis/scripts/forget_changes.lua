-- Delete up to one batch of the oldest records of changes, and return their number.
--   ARGV: before, keep, batch
local before, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
local changes, dropped, names = base .. 'changes', 0, {}
local length, ids = call('XLEN', changes), {}
for _, record in ipairs(call('XRANGE', changes, '-', '+', 'COUNT', ARGV[3])) do
  local name, at = record[2][2], tonumber(record[2][6] or '') or tonumber(match(record[1], '^%d+'))
  if at >= before and length - dropped <= keep then break end
  dropped = dropped + 1
  if name then
    names[#names + 1] = name
    ids[name] = record[1]
  end
end
if dropped == 0 then return 0 end
call('XTRIM', changes, 'MAXLEN', length - dropped)
local gone = {}
for name, newest in pairs(read('newest_changes', names)) do
  if newest == ids[name] then gone[#gone + 1] = name end
end
spread('HDEL', 'newest_changes', gone)
return dropped
