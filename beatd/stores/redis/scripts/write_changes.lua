-- Write records of changes from another store. Leave out each whose entry has one of the same moment.
--   ARGV: packed records {at, name, action, author, before, after}, oldest first
local records, names, since = cmsgpack.unpack(ARGV[1]), {}, {}
for place, r in ipairs(records) do
  names[place] = r[2]
  since[r[2]] = math.min(since[r[2]] or math.huge, tonumber(r[1]))
end
know_newest_changes(names)

-- An id is never before the moment of its record, nor of an older one.
local known = {}
for name, first in pairs(since) do
  known[name] = {}
  local record = change_at(newest_changes[name])
  while record and tonumber(match(record[1], '^%d+')) >= first do
    known[name][record[2][6] or ''] = true
    record = change_at(id_before(record))
  end
end

for _, r in ipairs(records) do
  if not known[r[2]][r[1]] then
    known[r[2]][r[1]] = true
    add_change(r[1], r[2], r[3], r[4], r[5], r[6])
  end
end
keep_newest_changes(names)
return 1
