-- Write what became of runs, if all of it is still as it was read; return 1, or 0 with nothing done.
--   ARGV: answer's key, at,
--   packed runs {task id, read, instead, newest report, oldest live delivery or '', has ended},
--   packed entries {name, read, instead}; what was read is '' if there was nothing, and false if it
--   was damaged, so that anything may be there
local remember, at = ARGV[1], ARGV[2]
local runs, entries = cmsgpack.unpack(ARGV[3]), cmsgpack.unpack(ARGV[4])
local said = call('GET', base .. remember)
if said then return tonumber(said) end

local function column(list)
  local fields = {}
  for place, one in ipairs(list) do fields[place] = one[1] end
  return fields
end

local function is_as_read(key, list)
  local found = read(key, column(list))
  for _, one in ipairs(list) do
    if one[2] and one[2] ~= (found[one[1]] or '') then return false end
  end
  return true
end

if not is_as_read('deliveries', runs) or not is_as_read('outcomes', entries) then return 0 end

local run_pairs, reported, live, ended = {}, {}, {}, {}
for _, run in ipairs(runs) do
  run_pairs[#run_pairs + 1] = run[1]
  run_pairs[#run_pairs + 1] = run[3]
  reported[#reported + 1] = run[4]
  reported[#reported + 1] = run[1]
  if run[5] ~= '' then
    live[#live + 1] = run[5]
    live[#live + 1] = run[1]
  else
    ended[#ended + 1] = run[1]
  end
end
spread('HSET', 'deliveries', run_pairs)
spread('ZADD', 'reported', reported)
spread('ZREM', 'live', ended)
spread('ZADD', 'live', live)

-- An entry that was removed has no outcome.
local entry_pairs, rows = {}, read('rows', column(entries))
for _, one in ipairs(entries) do
  if rows[one[1]] then
    entry_pairs[#entry_pairs + 1] = one[1]
    entry_pairs[#entry_pairs + 1] = one[3]
  end
end
spread('HSET', 'outcomes', entry_pairs)

if call('EXISTS', base .. 'running_of') == 1 then
  for _, run in ipairs(runs) do
    if run[6] then end_run(run[1], at) end
  end
end
call('SET', base .. remember, 1, 'PX', 10000)
return 1
