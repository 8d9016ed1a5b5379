-- Change entries; each change is made whole or not at all. Returns "1" or "0" for each.
--   ARGV: answer's key, packed changes, packed JSON of authors and packed texts of pauses by place
--   {name, seen, definition or false, enabled and not paused ("1"/"0"), enabled+paused flags,
--    progress that the plan was computed from or false, planned, due, fingerprint, rules, runs, last,
--    source, first moment and line of what is passed over (or false, ''), calls off,
--    line of the moment that was missed (or ''), allows overlap}
local remember, changes = ARGV[1], cmsgpack.unpack(ARGV[2])
local authors, pauses = cmsgpack.unpack(ARGV[3]), cmsgpack.unpack(ARGV[4])
local said = call('GET', base .. remember)
if said then return said end

local names = {}
for place, c in ipairs(changes) do names[place] = c[1] end
local rows = read('rows', names)
if next(authors) then know_newest_changes(names) end
-- A damaged row counts as missing, so that a new declaration replaces it.
for name, row in pairs(rows) do
  if row and not find(row,
    '^%-?%d*\t%d+\t%a+\t%d+\t%-?%d*\t%-?%d*\t[^\t]*\t[^\t]*$') then rows[name] = false end
end
local now = clock()
-- A revision never repeats: not for a name that was removed, nor in a store that lost its last
-- writes and counts again, since it starts from the clock.
local version = call('GET', base .. 'version') or '0'
version = format('%.0f', math.max(tonumber(version) + 1, math.floor(tonumber(now) / 1000)))

local ORIGINS = {trigger = 'trigger', backfill = 'backfill', backlog = 'catch-up'}

local function drop(name, only, reason)
  local members = call('ZRANGEBYLEX', base .. 'asked_of', '[' .. name .. '\0', '(' .. name .. '\1')
  for _, member in ipairs(members) do
    local id = sub(member, #name + 2)
    local first, last, kind = match(call('HGET', base .. 'requests', id) or '',
      '^(%-?%d+)\t(%-?%d+)\t(%a+)\t')
    if first and (only == '' or kind == only) then
      call('HDEL', base .. 'requests', id)
      call('ZREM', base .. 'asked', id)
      call('ZREM', base .. 'asked_of', member)
      local several = tonumber(last) > tonumber(first)
      add_line(now, name, '', 'S', '0', first .. '\t' .. (several and last or '') .. '\t1\t' ..
        (several and '1' or '') .. '\t\t\t\t' .. reason, ORIGINS[kind])
    end
  end
end

-- Names in their order, apart by source: what one source declares is found without the others.
local sources = call('SMEMBERS', base .. 'sources')
local known = {}
for _, source in ipairs(sources) do known[source] = true end

local function list_name(name, source, is_new)
  if not known[source] then
    call('SADD', base .. 'sources', source)
    sources[#sources + 1] = source
    known[source] = true
  end
  if call('ZADD', base .. 'names:' .. source, 0, name) == 1 and not is_new then
    for _, other in ipairs(sources) do
      if other ~= source then call('ZREM', base .. 'names:' .. other, name) end
    end
  end
end

local has_running = call('EXISTS', base .. 'running') == 1
local has_outcomes = call('EXISTS', base .. 'outcomes') == 1

-- What is known of the runs of an entry that goes, or went when an older beatd removed it.
local function drop_running(name)
  if has_running then
    local text = call('HGET', base .. 'running', name)
    if text then
      call('HDEL', base .. 'running_of', running_id(text))
      call('HDEL', base .. 'running', name)
    end
  end
  if has_outcomes then call('HDEL', base .. 'outcomes', name) end
end

-- A plan that was written anew waits for no run; an entry that allows overlap has no running one.
local function wait_no_longer(name, allows, is_planned)
  local text = call('HGET', base .. 'running', name)
  if not text then return end
  if allows then
    end_running(name, now)
    rows[name] = call('HGET', base .. 'rows', name)
  elseif is_planned then
    local since, until_, _, id = match(text, RUNNING)
    if id then call('HSET', base .. 'running', name, table.concat({since, until_, '', id}, '\t')) end
  end
end

local function progress(row)
  local planned, runs, last = match(row, '^([^\t]*)\t[^\t]*\t[^\t]*\t([^\t]*)\t([^\t]*)')
  return planned .. '\t' .. runs .. '\t' .. last
end

local answer, any, lost_part = {}, false, {}
for place, c in ipairs(changes) do
  local name, seen = c[1], c[2]
  local row = rows[name]
  if seen == '0' then
    -- What is left of an entry that lost a part counts as none, and goes.
    local defined = call('HEXISTS', base .. 'entries', name) == 1
    if defined ~= (row and true or false) then
      any, row, lost_part[name] = true, false, true
      call('HDEL', base .. 'rows', name)
      call('HDEL', base .. 'entries', name)
      call('ZREM', base .. 'plan', name)
      for _, source in ipairs(sources) do call('ZREM', base .. 'names:' .. source, name) end
      rows[name] = false
      if not c[3] then
        drop_pause(name)
        drop(name, '', 'removed')
        drop_running(name)
      end
    elseif not row then
      drop_running(name)
    end
  end
  local revision, flags_before = '0', ''
  if row then revision, flags_before = match(row, '^[^\t]*\t([^\t]*)\t([^\t]*)') end
  -- A plan reckoned before a claim would set the row back to the moment that was claimed.
  if revision ~= seen or (row and c[6] and progress(row) ~= c[6]) then
    answer[place] = '0'
  else
    answer[place] = '1'
    local author, was_paused = authors[place], find(flags_before, 'p', 1, true) ~= nil
    -- An entry that lost a part and stays paused keeps its pause.
    local old_pause = (was_paused or lost_part[name]) and pause_of(name)
    lost_part[name] = nil
    local before = author and row and {match(call('HGET', base .. 'entries', name), '^%d+\t(.*)$') or '',
      was_paused, old_pause}
    if not c[3] then
      if row then
        any = true
        if author then record_change(now, name, author, before, nil) end
        drop_pause(name)
        drop(name, '', 'removed')
        drop_running(name)
        call('HDEL', base .. 'rows', name)
        call('HDEL', base .. 'entries', name)
        call('ZREM', base .. 'plan', name)
        for _, source in ipairs(sources) do call('ZREM', base .. 'names:' .. source, name) end
        rows[name] = false
      end
    else
      any = true
      local is_paused = find(c[5], 'p', 1, true) ~= nil
      local pause = is_paused and (pauses[place] or old_pause)
      if author then record_change(now, name, author, before, {c[3], is_paused, pause}) end
      if not pause then
        drop_pause(name)
      elseif pause ~= old_pause then
        keep_pause(name, pause)
      end
      local planned, flags, runs, last, due, mark, rules = '', '', c[11], c[12], '', '', ''
      if row then
        planned, flags, runs, last, due, mark, rules = match(row,
          '^([^\t]*)\t[^\t]*\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)$')
      end
      list_name(name, c[13], not row)
      if c[16] then drop(name, 'backfill', 'called off') end
      if c[14] and c[14] == planned then add_line(now, name, '', 'S', '0', c[15]) end
      if c[17] ~= '' then add_line(now, name, '', 'S', '0', c[17]) end
      if c[6] then
        if c[9] ~= mark then
          drop(name, 'backlog', 'edited')
        elseif (flags ~= 'e' or planned == '') and c[7] ~= '' and c[4] == '1' then
          drop(name, 'backlog', 'resumed')
        end
        planned, due, mark, rules = c[7], c[8], c[9], c[10]
      elseif c[4] == '1' and flags ~= 'e' then
        planned, due = '', '' -- gone on without a plan: what it had reached does not lie ahead
      end
      if c[4] == '0' then due = '' end
      rows[name] = table.concat(
        {planned, version, c[5], runs, last, due, mark, rules}, '\t')
      call('HSET', base .. 'rows', name, rows[name])
      call('HSET', base .. 'entries', name, version .. '\t' .. c[3])
      local score = due ~= '' and due or planned
      call('ZADD', base .. 'plan', c[4] == '1' and score ~= '' and score or '+inf', name)
      if has_running then wait_no_longer(name, c[18], c[6]) end
    end
  end
end
keep_tails()
if next(authors) then keep_newest_changes(names) end
if any then
  call('SET', base .. 'version', version)
  call('PUBLISH', base .. 'changed', version)
end
answer = table.concat(answer)
call('SET', base .. remember, answer, 'PX', 10000)
return answer
