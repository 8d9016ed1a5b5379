-- Return a list of the newest lines of history for each entry.   ARGV: packed names, limit
write_up_if_taken()
local names, reply = cmsgpack.unpack(ARGV[1]), {}
know_tails(names)
for place, name in ipairs(names) do
  reply[place] = lines_back(tails[name], tonumber(ARGV[2]))
end
return reply
