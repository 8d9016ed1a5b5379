-- Return the namespace, and the next rows by due moment: name and row in turn.
--   ARGV: offset, limit
local reply = {call('GET', base .. 'namespace')}
local names = call('ZRANGEBYSCORE', base .. 'plan', '-inf', '(+inf', 'LIMIT', ARGV[1], ARGV[2])
local rows = read('rows', names)
for _, name in ipairs(names) do
  reply[#reply + 1] = name
  reply[#reply + 1] = rows[name]
end
return reply
