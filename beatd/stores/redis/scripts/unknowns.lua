-- Return the open claims made before a moment and the unsent ones: key, claim, unsent, row in turn.
--   ARGV: before, limit
local keys = call('ZRANGEBYSCORE', base .. 'open', '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
local unsent, seen, names = call('ZRANGE', base .. 'unsent', 0, ARGV[2] - 1), {}, {}
local is_unsent = {}
for _, key in ipairs(keys) do seen[key] = true end
for _, key in ipairs(unsent) do
  if not seen[key] then keys[#keys + 1] = key end
end
for place, key in ipairs(keys) do names[place] = match(key, '^[^:]*:[^:]*:(.*)$') or '' end
local claims, rows, reply = read('claims', keys), read('rows', names), {}
for place, key in ipairs(keys) do
  reply[#reply + 1] = key
  reply[#reply + 1] = claims[key] or false
  reply[#reply + 1] = call('ZSCORE', base .. 'unsent', key) and 1 or 0
  reply[#reply + 1] = rows[names[place]] or false
end
return reply
