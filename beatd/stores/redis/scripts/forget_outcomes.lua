-- Delete up to one batch of the runs whose newest report is oldest; return their number.
--   ARGV: before, keep, batch
local key = base .. 'reported'
local surplus = math.max(call('ZCOUNT', key, '-inf', '(' .. ARGV[1]),
  call('ZCARD', key) - tonumber(ARGV[2]))
local count = math.min(surplus, tonumber(ARGV[3]))
if count <= 0 then return 0 end
local ids = call('ZRANGE', key, 0, count - 1)
spread('HDEL', 'deliveries', ids)
spread('ZREM', 'live', ids)
call('ZREMRANGEBYRANK', key, 0, count - 1)
return count
