-- Claim, and where messages come with the moves, push them in the same step.
--   ARGV: number and token of the term, at, answer's key or '', packed moves, bodies
-- Three passes: look at every row as if all went well, push, then write. Nothing has been written
-- when the first push is refused for a passing reason (memory, a replica), so that is an error.
local number, token, at, remember = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local moves = cmsgpack.unpack(ARGV[5])

local leads = call('HMGET', base .. 'term', 'number', 'token', 'holder')
if leads[1] ~= number or leads[2] ~= token then
  return {'deposed', leads[1] or '', leads[3] or ''}
end
if remember ~= '' then
  local said = call('GET', base .. remember)
  if said then return {said} end -- the reply was lost, the effect was not
end

local PLAN, REQUEST, CLAIM = 1, 2, 3
local names, asked, opened = {}, {}, {}
for place, m in ipairs(moves) do
  names[place] = m[2]
  if m[1] == REQUEST then asked[#asked + 1] = m[3] end
  if m[1] == CLAIM then opened[#opened + 1] = m[3] end
end
local rows = read('rows', names)
local requests = read('requests', asked)
local claims = read('claims', opened)
local moved, scores = {}, {}
tails = read('tails', names)

local function starts(text, head)
  return text and sub(text, 1, #head) == head
end

local function count(m, row_from, head, rest)
  -- row: planned, revision, flags | runs, last | due, fingerprint, rules
  local runs, last, old_rest = match(row_from, '^(%d+)\t(%-?%d*)\t(.*)$')
  m.last = last
  if m[9] > 0 then
    runs = format('%.0f', runs + m[9])
    if m[11] ~= '' and (last == '' or tonumber(m[11]) > tonumber(last)) then last = m[11] end
  end
  rows[m[2]] = head .. runs .. '\t' .. last .. '\t' .. (rest or old_rest)
  moved[m[2]] = true
end

local function count_only(m)
  local row = rows[m[2]]
  if row and m[10] ~= '' then
    local head, rest = match(row, '^([^\t]*\t[^\t]*\t[^\t]*\t)(.*)$')
    count(m, rest, head)
  end
end

-- An edit made before the claim is honoured: what runs is the entry at this revision.
local function is_edited(m)
  if m[5] == '' then return false end
  local row = rows[m[2]]
  return not row or match(row, '^[^\t]*\t([^\t]*)') ~= m[5]
end

-- Whether this moment may have been claimed and closed before (a plan that was set back, an entry
-- that was removed and added again): only then is its line looked for when it is recorded.
local function again(m)
  if sub(m[10], -1) ~= ':' then return '' end -- a request's own random id
  if m[1] == CLAIM then return match(m.old, '\t(1?)$') end
  if not m.last or m.last == '' then return tails[m[2]] and '1' or '' end
  return tonumber(m[11]) <= tonumber(m.last) and '1' or ''
end

local function look(m)
  local kind, name = m[1], m[2]
  if kind == PLAN then
    local row = rows[name]
    if not starts(row, m[3]) then return false end
    local rest = sub(row, #m[3] + 1)
    if m[6] == '' then
      count(m, rest, m[3])
    else
      count(m, rest, m[6], m[7])
      scores[name] = m[8]
    end
  elseif kind == REQUEST then
    local request = requests[m[3]]
    if not starts(request, m[4]) or is_edited(m) then return false end
    requests[m[3]] = m[6] ~= '' and m[6] .. sub(request, #m[4] + 1) or false
    count_only(m)
  else
    if not starts(claims[m[3]], m[4]) or is_edited(m) then return false end
    m.old = claims[m[3]]
    claims[m[3]] = false
    count_only(m)
  end
  return true
end

local made, reasons, keys, bodies, kinds = {}, {}, {}, {}, {}

local function unpushable(pushes)
  for place = 1, #pushes, 2 do
    local key = pushes[place]
    local kind = kinds[key]
    if not kind then
      kind = call('TYPE', key).ok
      kinds[key] = kind
    end
    if kind ~= 'list' and kind ~= 'none' then
      return 'WRONGTYPE ' .. key .. ' holds a ' .. kind .. ', not a queue'
    end
  end
end

for place, m in ipairs(moves) do
  if look(m) then
    made[place] = '1'
    local pushes = m[14]
    if pushes then
      local reason = unpushable(pushes)
      if reason then
        made[place], reasons[place] = '2', reason
      else
        for at_push = 1, #pushes, 2 do
          local key = pushes[at_push]
          local list = bodies[key]
          if not list then
            list = {places = {}}
            keys[#keys + 1] = key
            bodies[key] = list
          end
          list[#list + 1] = ARGV[pushes[at_push + 1]]
          list.places[#list.places + 1] = place
        end
      end
    end
  elseif m[14] and m[10] ~= '' then
    -- Already ended by this batch: the reply was lost, and this is its second try.
    local line = find_line(m[2], m[10], 10)
    made[place] = '0'
    if line and line.state == 'P' then
      made[place] = '1'
    elseif line and line.state == 'F' then
      made[place], reasons[place] = '2', match(line.body, '([^\t]*)$')
    end
    m.done = true
  else
    made[place] = '0'
  end
end

local pushed = false
for _, key in ipairs(keys) do
  local list = bodies[key]
  for first = 1, #list, CHUNK do
    local last = math.min(first + CHUNK - 1, #list)
    local reply = redis.pcall('LPUSH', key, unpack(list, first, last))
    if type(reply) == 'table' and reply.err then
      if not pushed and not find(reply.err, "can't") and not find(reply.err, 'NOPERM') then
        return redis.error_reply(reply.err)
      end
      for place = first, last do
        made[list.places[place]], reasons[list.places[place]] = '2', reply.err
      end
    else
      pushed = true
    end
  end
end

local row_pairs, score_pairs = {}, {}
for name in pairs(moved) do
  row_pairs[#row_pairs + 1] = name
  row_pairs[#row_pairs + 1] = rows[name]
end
for name, score in pairs(scores) do
  score_pairs[#score_pairs + 1] = score
  score_pairs[#score_pairs + 1] = name
end
spread('HSET', 'rows', row_pairs)
spread('ZADD', 'plan', score_pairs)

local claim_pairs, open_pairs, opens = {}, {}, {}
for place, m in ipairs(moves) do
  local name = m[2]
  if made[place] ~= '0' and not m.done then
    if m[1] == REQUEST then
      local request = requests[m[3]]
      if request then
        call('HSET', base .. 'requests', m[3], request)
      else
        call('HDEL', base .. 'requests', m[3])
        call('ZREM', base .. 'asked', m[3])
        call('ZREM', base .. 'asked_of', name .. '\0' .. m[3])
      end
    elseif m[1] == CLAIM then
      call('HDEL', base .. 'claims', m[3])
      call('ZREM', base .. 'open', m[3])
      call('ZREM', base .. 'unsent', m[3])
    end
    if m[15] then
      for _, body in ipairs(m[15]) do
        add_line(at, name, m[16], 'S', number, body)
      end
    end
    if m[14] then
      if made[place] == '1' then
        add_line(at, name, m[10], 'P', number, m[13])
      else
        local task_id = match(m[12], '([^\t]*)$')
        local reason = string.gsub(reasons[place], '%s+', ' ')
        add_line(at, name, m[10], 'F', number, '\t\t1\t\t\t\t' .. task_id .. '\t' .. reason)
      end
    elseif m[10] ~= '' then
      local key = m[10] .. ':' .. name
      claim_pairs[#claim_pairs + 1] = key
      claim_pairs[#claim_pairs + 1] = at .. '\t' .. number .. '\t' .. m[12] .. '\t' .. place .. '\t' .. again(m)
      opens[#opens + 1] = key
      open_pairs[#open_pairs + 1] = at
      open_pairs[#open_pairs + 1] = key
    end
    local backlog = m[17]
    if backlog then
      call('HSET', base .. 'requests', backlog[1], backlog[2])
      call('ZADD', base .. 'asked', 'NX', call('INCR', base .. 'asked_last'), backlog[1])
      call('ZADD', base .. 'asked_of', 0, name .. '\0' .. backlog[1])
    end
  end
end
spread('HSET', 'claims', claim_pairs)
spread('ZADD', 'open', open_pairs)
if call('EXISTS', base .. 'unsent') == 1 then spread('ZREM', 'unsent', opens) end
keep_tails()

local answer = table.concat(made)
if remember ~= '' then call('SET', base .. remember, answer, 'PX', 10000) end
local reply = {answer}
for place, reason in pairs(reasons) do
  reply[#reply + 1] = place
  reply[#reply + 1] = reason
end
return reply
