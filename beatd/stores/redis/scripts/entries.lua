-- Return the row and the definition of each name in turn, read at one instant.   ARGV: packed names
local names = cmsgpack.unpack(ARGV[1])
local rows, entries, reply = read('rows', names), read('entries', names), {}
for place, name in ipairs(names) do
  reply[2 * place - 1] = rows[name]
  reply[2 * place] = entries[name]
end
return reply
