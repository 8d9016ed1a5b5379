-- Return the pending requests, oldest first: id, value, row in turn.   ARGV: offset, limit
local ids = call('ZRANGE', base .. 'asked', ARGV[1], ARGV[1] + ARGV[2] - 1)
local requests, names, reply = read('requests', ids), {}, {}
for place, id in ipairs(ids) do
  names[place] = match(requests[id] or '', '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t(.*)$') or ''
end
local rows = read('rows', names)
for place, id in ipairs(ids) do
  reply[#reply + 1] = id
  reply[#reply + 1] = requests[id]
  reply[#reply + 1] = rows[names[place]]
end
return reply
