-- The beginning of every script of the store. Moments are microseconds in decimal, compared as
-- numbers (exact below 2^53) and written back as the text they came as: Lua prints large numbers
-- with an exponent.
local base = KEYS[1]
local call = redis.call
local sub, find, match, format = string.sub, string.find, string.match, string.format

-- Redis lets unpack spread about 8000 values; an even number keeps pairs together.
local CHUNK = 4000

local function spread(command, key, list)
  for first = 1, #list, CHUNK do
    call(command, base .. key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
end

local function read(key, fields)
  local found = {}
  for first = 1, #fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #fields)
    local values = call('HMGET', base .. key, unpack(fields, first, last))
    for place = first, last do
      found[fields[place]] = values[place - first + 1]
    end
  end
  return found
end

-- History: one stream for all entries, in the order of writing. Each line holds the id of the line
-- before it of the same entry, so that one entry's history is a walk from its tail, with no index.
-- `plain` keeps its lines packed in `unwritten`, to be written when the server is idle. They are always
-- written before a script reads lines or adds its own.
local tails, moved_tails, newest, newest_text, beside = {}, {}, nil, nil, 0
local written_up, write_up = false, nil

local function find_newest()
  if not written_up then write_up() end
  newest, newest_text, beside = 0, '0', 0
  local info = redis.pcall('XINFO', 'STREAM', base .. 'history')
  if info.err then return end
  for place = 1, #info, 2 do
    if info[place] == 'last-generated-id' then
      local time, count = match(info[place + 1], '^(%d+)-(%d+)$')
      newest, newest_text, beside = tonumber(time), time, tonumber(count)
    end
  end
end

local function tail_of(name)
  if not written_up then write_up() end
  local tail = tails[name]
  if tail == nil then
    tail = call('HGET', base .. 'tails', name)
    tails[name] = tail
  end
  return tail
end

-- Write a line of history. closes: "planned:request" of the claim that this line closes, or ''.
-- origin: why there was a run; nil, '' or "planned" is not written.
local function add_line(at, name, closes, state, term, body, origin)
  if not newest then find_newest() end
  local time = tonumber(at)
  if time > newest then
    newest, newest_text, beside = time, at, 0
  else
    beside = beside + 1
  end
  local id = newest_text .. '-' .. beside
  local tail = tail_of(name) or ''
  if origin and origin ~= '' and origin ~= 'planned' then
    call('XADD', base .. 'history', id, 'n', name, 'p', tail, 'o', closes, 's', state, 't', term,
      'b', body, 'w', origin)
  else
    call('XADD', base .. 'history', id, 'n', name, 'p', tail, 'o', closes, 's', state, 't', term,
      'b', body)
  end
  tails[name] = id
  moved_tails[name] = id
end

-- Return the line with an id; nil if it is missing or the id is damaged, which would fail the script.
local function line_at(id)
  if not find(id, '^%d+%-%d+$') then return nil end
  local line = call('XRANGE', base .. 'history', id, id)[1]
  if not line then return nil end
  local f = line[2]
  return {id = id, name = f[2], before = f[4], closes = f[6], state = f[8], body = f[12]}
end

-- Return the line that closed a claim; nil if it is not among the newest `steps` lines of its entry.
local function find_line(name, closes, steps)
  local id = tail_of(name)
  for _ = 1, steps do
    if not id or id == '' then return nil end
    local line = line_at(id)
    if not line then
      id = call('HGET', base .. 'bridges', id)
    elseif line.closes == closes then
      return line
    else
      id = line.before
    end
  end
end

local function take_line_back(name, line)
  call('XDEL', base .. 'history', line.id)
  if tail_of(name) == line.id then
    tails[name] = line.before
    moved_tails[name] = line.before
  else
    call('HSET', base .. 'bridges', line.id, line.before)
  end
end

local function keep_tails()
  local pairs_of_tails = {}
  for name, id in pairs(moved_tails) do
    pairs_of_tails[#pairs_of_tails + 1] = name
    pairs_of_tails[#pairs_of_tails + 1] = id
  end
  spread('HSET', 'tails', pairs_of_tails)
  moved_tails = {}
end

local function know_tails(names)
  if not written_up then write_up() end
  for name, tail in pairs(read('tails', names)) do tails[name] = tail end
end

local function published(at, due, task_id)
  return '\t\t1\t\t' .. at .. '\t' .. format('%.0f', tonumber(at) - tonumber(due)) .. '\t' .. task_id .. '\t'
end

local function failed(task_id, reason)
  return '\t\t1\t\t\t\t' .. task_id .. '\t' .. string.gsub(reason, '%s+', ' ')
end

-- Write at most `most` of the lines in `unwritten`; return true if more are left.
local LEFT = 5 -- values: at, term, {queue: why it refused}, columns, the first line not yet written
write_up = function(most)
  written_up, most = true, most or math.huge
  local key = base .. 'unwritten'
  while most > 0 do
    local left = call('LRANGE', key, 0, LEFT - 1)
    if #left == 0 then return false end
    local at, term, refused, first = left[1], left[2], cmsgpack.unpack(left[3]), tonumber(left[5])
    local names, planneds, dues, ids, queues, origins = unpack(cmsgpack.unpack(left[4]))
    origins = origins or {}
    local last = math.min(#names, first + most - 1)
    know_tails({unpack(names, first, last)})
    for place = first, last do
      local reason, id = refused[queues[place]], ids[place]
      local body = reason and failed(id, reason) or published(at, dues[place], id)
      add_line(at, names[place], planneds[place] .. ':', reason and 'F' or 'P', term, body,
        origins[place])
    end
    keep_tails()
    if last == #names then
      call('LTRIM', key, LEFT, -1)
    else
      call('LSET', key, LEFT - 1, last + 1)
    end
    most = most - (last - first + 1)
  end
  return call('EXISTS', key) == 1
end

-- Write the lines in `unwritten` if Redis has room for them; otherwise go on without them.
local function write_up_if_taken()
  if not pcall(write_up) then tails, moved_tails = {}, {} end
end

local function clock()
  local time = call('TIME')
  return time[1] .. format('%06d', time[2])
end
