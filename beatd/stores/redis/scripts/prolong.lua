-- Let runs count as running until a moment at least.
--   ARGV: packed task ids, until
for _, id in ipairs(cmsgpack.unpack(ARGV[1])) do
  local name = call('HGET', base .. 'running_of', id)
  local since, until_, waits, runs = match(name and call('HGET', base .. 'running', name) or '', RUNNING)
  if runs == id and tonumber(until_) < tonumber(ARGV[2]) then
    call('HSET', base .. 'running', name, table.concat({since, ARGV[2], waits, id}, '\t'))
  end
end
return 1
