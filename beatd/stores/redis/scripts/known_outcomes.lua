-- Return what is known of runs and of entries, read at one instant.   ARGV: packed task ids and names
local ids, names = unpack(cmsgpack.unpack(ARGV[1]))
local runs, entries, reply = read('deliveries', ids), read('outcomes', names), {}
for place, id in ipairs(ids) do reply[place] = runs[id] end
for place, name in ipairs(names) do reply[#ids + place] = entries[name] end
return reply
