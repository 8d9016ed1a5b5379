-- Delete up to one batch of the incidents that were closed first; return their number.
--   ARGV: before, batch
local ids = call('ZRANGEBYSCORE', base .. 'incidents_closed', '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, key in ipairs({'incidents_closed', 'incidents_opened', 'incidents_open'}) do
  spread('ZREM', key, ids)
end
spread('HDEL', 'incidents', ids)
return #ids
