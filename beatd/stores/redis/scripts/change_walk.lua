-- Records of changes: the part of a script that reads them. It follows the prelude.
-- One stream holds the records of all entries, in the order of writing. Each holds the id of the record
-- before it of the same entry, so that one entry's records are a walk from its newest, with no index.
local function change_at(id)
  return find(id or '', '^%d+%-%d+$') and call('XRANGE', base .. 'changes', id, id)[1]
end

local function is_older(id, other)
  local time, beside = match(id, '^(%d+)-(%d+)$')
  local other_time, other_beside = match(other, '^(%d+)-(%d+)$')
  if not time or not other_time then return false end
  if time ~= other_time then return tonumber(time) < tonumber(other_time) end
  return tonumber(beside) < tonumber(other_beside)
end

-- Return the id of the record before this one of the same entry, or nil. A damaged id leads nowhere.
local function id_before(record)
  local id = record[2][4]
  return id and is_older(id, record[1]) and id or nil
end
