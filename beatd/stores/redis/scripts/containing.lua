-- Return those names which contain a text, or whose task does. A task with escapes counts as one that
-- does.   ARGV: packed names, the text in lower case (letters from a to z only)
local names, text, reply = cmsgpack.unpack(ARGV[1]), ARGV[2], {}
local entries = read('entries', names)
for _, name in ipairs(names) do
  local task = match(entries[name] or '', '{"task":"([^"\\]*)"')
  if not task or find(string.lower(task), text, 1, true) or find(string.lower(name), text, 1, true) then
    reply[#reply + 1] = name
  end
end
return reply
