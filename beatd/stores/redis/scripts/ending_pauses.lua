-- Return names of paused entries by the end of their pause. Delete the pauses of other entries.
--   ARGV: before, limit
local ended, names = base .. 'pauses_end', {}
while #names < tonumber(ARGV[2]) do
  local found = call('ZRANGEBYSCORE', ended, '-inf', '(' .. ARGV[1], 'LIMIT', #names, ARGV[2] - #names)
  if #found == 0 then break end
  local rows = read('rows', found)
  for _, name in ipairs(found) do
    if find(rows[name] or '', '^[^\t]*\t[^\t]*\t%a?p\t') then
      names[#names + 1] = name
    else
      drop_pause(name)
    end
  end
end
return names
