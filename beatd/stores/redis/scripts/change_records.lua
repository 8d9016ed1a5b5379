-- Records of changes: the part of a script that writes them. It follows the parts
-- `change_walk` and `pauses`.
local newest_changes, last_time, last_text, last_beside = {}, nil, '0', 0

local function know_newest_changes(names)
  newest_changes = read('newest_changes', names)
end

local function find_last_change()
  last_time = 0
  local info = redis.pcall('XINFO', 'STREAM', base .. 'changes')
  if info.err then return end
  for place = 1, #info, 2 do
    if info[place] == 'last-generated-id' then
      local time, beside = match(info[place + 1], '^(%d+)-(%d+)$')
      last_time, last_text, last_beside = tonumber(time), time, tonumber(beside)
    end
  end
end

-- Write a record. author: JSON. before, after: texts of a state, or '' if there was no entry.
-- Ids are in the order of writing, so the moment itself is a field: a clock may step back.
local function add_change(at, name, action, author, before, after)
  if not last_time then find_last_change() end
  if tonumber(at) > last_time then
    last_time, last_text, last_beside = tonumber(at), at, 0
  else
    last_beside = last_beside + 1
  end
  local id = last_text .. '-' .. last_beside
  call('XADD', base .. 'changes', id, 'n', name, 'p', newest_changes[name] or '', 't', at,
    'a', action, 'w', author, 'b', before, 'c', after)
  newest_changes[name] = id
end

local function keep_newest_changes(names)
  local pairs_of_ids, seen = {}, {}
  for _, name in ipairs(names) do
    if newest_changes[name] and not seen[name] then
      seen[name] = true
      pairs_of_ids[#pairs_of_ids + 1] = name
      pairs_of_ids[#pairs_of_ids + 1] = newest_changes[name]
    end
  end
  spread('HSET', 'newest_changes', pairs_of_ids)
end

-- Return the JSON of source, declared_at and definition as a record keeps it: with null instead of a
-- definition that it does not keep. The first two have no quote but an escaped one.
local DEFINITION_BYTES_MAX = 65536
local function kept_of(packed, keeps_definition)
  local first = match(packed, '^%["[^"\\]*","[^"\\]*",()')
    or match(string.gsub(packed, '\\.', '__'), '^%["[^"]*","[^"]*",()')
  if not first then return '["","",null]' end -- it is damaged
  if keeps_definition and #packed - first <= DEFINITION_BYTES_MAX then return packed end
  return sub(packed, 1, first - 1) .. 'null]'
end

-- Write the record of a change, unless the entry is as before. The definition of a new entry is left
-- out, and a definition that did not change is written once.
--   before, after: {JSON of source, declared_at and definition, is it paused, its pause or false}, or
--   nil if there is no entry
local recorded_at = {}
local function record_change(at, name, author, before, after)
  local action
  if not before then
    action = 'added'
  elseif not after then
    action = 'removed'
  elseif after[2] and (not before[2] or facts_of(after[3]) ~= facts_of(before[3])) then
    action = 'paused'
  elseif before[2] and not after[2] then
    action = 'resumed'
  elseif before[1] ~= after[1] then
    action = 'edited'
  else
    return
  end
  local function state(one, packed)
    return (one[2] and '1' or '') .. '\t' .. until_of(one[3]) .. '\t' .. packed
  end
  local was, is = '', ''
  if before then was = state(before, kept_of(before[1], true)) end
  if after and before and before[1] == after[1] then
    is = state(after, '')
  elseif after then
    is = state(after, kept_of(after[1], before))
  end
  -- Two changes of an entry in one script have two moments: a copy of a store tells them apart by this.
  if recorded_at[name] then at = format('%.0f', recorded_at[name] + 1) end
  recorded_at[name] = tonumber(at)
  add_change(at, name, action, author, was, is)
end
