-- Pauses of entries: the part of a script that changes them. It follows the prelude.
-- The text of a pause: at, until or '', JSON of who paused the entry and why. An older beatd leaves a
-- pause behind when it resumes or removes an entry; only that of a paused entry counts.
local has_pauses = call('EXISTS', base .. 'pauses') == 1

local function pause_of(name)
  return has_pauses and call('HGET', base .. 'pauses', name)
end

local function until_of(pause)
  return pause and match(pause, '^[^\t]*\t(%-?%d*)') or ''
end

-- Return what makes a pause another one: its end, who made it and why; '' if there is none.
local function facts_of(pause)
  return pause and match(pause, '^[^\t]*\t(.*)$') or ''
end

local function keep_pause(name, pause)
  has_pauses = true
  call('HSET', base .. 'pauses', name, pause)
  if until_of(pause) ~= '' then
    call('ZADD', base .. 'pauses_end', until_of(pause), name)
  else
    call('ZREM', base .. 'pauses_end', name)
  end
end

local function drop_pause(name)
  if has_pauses then
    call('HDEL', base .. 'pauses', name)
    call('ZREM', base .. 'pauses_end', name)
  end
end
