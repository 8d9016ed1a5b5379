-- Running runs: the part of a script that reads or changes them. It follows the prelude.
-- The running run of an entry: since, until, '1' if the plan waits for its end, task id.
local RUNNING = '^(%-?%d+)\t(%-?%d+)\t(1?)\t(.*)$'

-- Return a row that is due at a moment, and this moment; nil if the entry is not active, or is due
-- before it.
local function with_due(row, moment)
  local head, planned, flags, due, rest = match(row or '',
    '^((%-?%d+)\t%d+\t(%a+)\t%d+\t[^\t]*\t)([^\t]*)(\t.*)$')
  if flags ~= 'e' then return nil end
  due = tonumber(due) or tonumber(planned)
  if tonumber(moment) < tonumber(planned) then moment = planned end
  if tonumber(moment) >= due then return nil end
  return head .. (moment == planned and '' or moment) .. rest, moment
end

local function make_due(name, moment)
  local row, score = with_due(call('HGET', base .. 'rows', name), moment)
  if row then
    call('HSET', base .. 'rows', name, row)
    call('ZADD', base .. 'plan', score, name)
    call('PUBLISH', base .. 'changed', 'due')
  end
end

-- Delete the running run of an entry. If the plan waits for its end, the entry is due at `at`.
local function end_running(name, at)
  local running = call('HGET', base .. 'running', name)
  if not running then return end
  local _, _, waits, id = match(running, RUNNING)
  call('HDEL', base .. 'running', name)
  if id then call('HDEL', base .. 'running_of', id) end
  if waits == '1' then make_due(name, at) end
end

local function end_run(id, at)
  local name = call('HGET', base .. 'running_of', id)
  if name then end_running(name, at) end
end

local function running_id(text)
  return select(4, match(text or '', RUNNING)) or ''
end

-- True if the running run is the one that a change expects, and over if the change expects that.
local function is_as_seen(text, change, at)
  local _, till, _, id = match(text or '', RUNNING)
  if (id or '') ~= change[1] then return false end
  return not (id and change[5] and tonumber(till) > tonumber(at))
end

-- Return the running runs of entries by name, twice: to be changed, and as they were (or false).
local function read_running(names)
  local running, before = {}, read('running', names)
  for name, text in pairs(before) do running[name] = text or nil end
  return running, before
end

-- Return a running run as a move changes it, nil if there is none afterwards, and true if it ended
-- and the plan waited for that. A plan waits only as its own last move says.
--   change: seen, until or '', ends, task id of the move's run or '', expects it to be over
local function changed_running(text, change, is_plan, at)
  local till, id = change[2], change[4]
  if is_plan and till ~= '' and id ~= '' and id ~= change[1] then
    return at .. '\t' .. till .. '\t\t' .. id -- the usual case
  end
  local since, old_till, waits, old_id = match(text or '', RUNNING)
  if is_plan or not old_id then waits = '' end
  local is_over = change[3] and waits == '1'
  if change[3] then old_id, waits = nil, '' end
  if id ~= '' and till ~= '' then
    return table.concat({old_id == id and since or at, till, waits, id}, '\t'), is_over
  end
  if not old_id then return nil, is_over end
  if is_plan and till ~= '' then waits = '1' end
  return table.concat({since, till ~= '' and till or old_till, waits, old_id}, '\t'), is_over
end

-- Write the running runs that are not as `before`.
local function keep_running(running, before)
  local pairs_of_runs, pairs_of_ids, gone, gone_ids = {}, {}, {}, {}
  for name, old in pairs(before) do
    local text = running[name]
    if text ~= (old or nil) then
      local id, old_id = running_id(text), old and running_id(old) or ''
      if text then
        pairs_of_runs[#pairs_of_runs + 1] = name
        pairs_of_runs[#pairs_of_runs + 1] = text
        pairs_of_ids[#pairs_of_ids + 1] = id
        pairs_of_ids[#pairs_of_ids + 1] = name
      else
        gone[#gone + 1] = name
      end
      if old_id ~= '' and old_id ~= id then gone_ids[#gone_ids + 1] = old_id end
    end
  end
  spread('HDEL', 'running', gone)
  spread('HDEL', 'running_of', gone_ids)
  spread('HSET', 'running', pairs_of_runs)
  spread('HSET', 'running_of', pairs_of_ids)
end
