-- One entry's history: the part of a script that reads it. It follows the prelude.
-- Return up to `limit` lines of an entry from the id of one on, newest first, and the id to continue
-- from ('' at the end). Lines that were taken back are passed by, for so many steps in one call.
local STEPS = 200
local function lines_back(id, limit)
  local lines, passed = {}, 0
  while id and id ~= '' and #lines < limit and passed < STEPS do
    local line = find(id, '^%d+%-%d+$') and call('XRANGE', base .. 'history', id, id)[1]
    if line then
      lines[#lines + 1] = line
      id = line[2][4]
    else
      id = call('HGET', base .. 'bridges', id)
      passed = passed + 1
    end
  end
  return lines, id or ''
end
