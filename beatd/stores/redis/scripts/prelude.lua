-- What every script of the store begins with. Moments are microseconds in decimal, compared as
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
local tails, moved_tails, newest, newest_text, beside = {}, {}, nil, nil, 0

local function find_newest()
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
  local tail = tails[name]
  if tail == nil then
    tail = call('HGET', base .. 'tails', name)
    tails[name] = tail
  end
  return tail
end

-- closes: "planned:request" of the claim that ended with this line, or nothing.
local function add_line(at, name, closes, state, term, body)
  if not newest then find_newest() end
  local time = tonumber(at)
  if time > newest then
    newest, newest_text, beside = time, at, 0
  else
    beside = beside + 1
  end
  local id = newest_text .. '-' .. beside
  call('XADD', base .. 'history', id, 'n', name, 'p', tail_of(name) or '', 'o', closes,
    's', state, 't', term, 'b', body)
  tails[name] = id
  moved_tails[name] = id
end

local function line_at(id)
  local line = call('XRANGE', base .. 'history', id, id)[1]
  if not line then return nil end
  local f = line[2]
  return {id = id, name = f[2], before = f[4], closes = f[6], state = f[8], body = f[12]}
end

-- The line that closed a claim, looked for among the newest so many of its entry.
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
end

local function clock()
  local time = call('TIME')
  return time[1] .. format('%06d', time[2])
end
