-- Return of each name that lost a part: the name, and the part that is left ("row", "entry", or "paused"
-- for an entry whose pause is left, too). Repair the indexes of whole entries, and delete the names of
-- missing ones from them.
--   ARGV: packed names, packed sources (of the entries, '' where there is none)
local names, declared = cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[2])
local rows, entries = read('rows', names), read('entries', names)
local sources, reply = call('SMEMBERS', base .. 'sources'), {}
for place, name in ipairs(names) do
  local row, entry = rows[name], entries[name]
  if row and entry then
    local planned, flags, due = match(row,
      '^([^\t]*)\t[^\t]*\t([^\t]*)\t[^\t]*\t[^\t]*\t([^\t]*)\t')
    local score = due ~= '' and due or planned
    if not tonumber(score or '') or flags ~= 'e' then score = '+inf' end
    call('ZADD', base .. 'plan', 'NX', score, name)
    if declared[place] ~= '' then
      call('SADD', base .. 'sources', declared[place])
      call('ZADD', base .. 'names:' .. declared[place], 0, name)
    end
  elseif row or entry then
    reply[#reply + 1] = name
    local paused = not row and call('HEXISTS', base .. 'pauses', name) == 1
    reply[#reply + 1] = row and 'row' or paused and 'paused' or 'entry'
  else
    call('ZREM', base .. 'plan', name)
    for _, source in ipairs(sources) do call('ZREM', base .. 'names:' .. source, name) end
  end
end
return reply
