-- Write records of history and a mark, if the mark is as it was read. Return 1, also if the new mark
-- is there already (and nothing is done); 0 if another one is.
--   ARGV: key of the mark, the mark as read, the new mark,
--   packed records {name, state, at, term, body, origin}
local found = call('HGET', base .. 'applied', ARGV[1])
if found ~= ARGV[2] then return found == ARGV[3] and 1 or 0 end
local records, names = cmsgpack.unpack(ARGV[4]), {}
for place, r in ipairs(records) do names[place] = r[1] end
know_tails(names)
for _, r in ipairs(records) do
  add_line(r[3], r[1], '', r[2], r[4], r[5], r[6])
end
keep_tails()
call('HSET', base .. 'applied', ARGV[1], ARGV[3])
return 1
