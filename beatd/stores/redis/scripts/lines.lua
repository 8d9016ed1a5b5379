-- Return one entry's history, newest first: the id to continue from ('' at the end), then the lines.
--   ARGV: name, id to begin with ('' = its newest), limit
local id = ARGV[2]
if id == '' then
  write_up_if_taken()
  id = tail_of(ARGV[1])
end
local lines, rest = lines_back(id, tonumber(ARGV[3]))
return {rest, unpack(lines)}
