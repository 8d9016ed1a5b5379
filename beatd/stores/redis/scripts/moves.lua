-- Claim, and where messages come with the moves, push them in the same step.
--   ARGV: number and token of the term, at, answer's key or '', packed moves, all bodies
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

-- Columns, not a table per move: a thousand small tables cost more than the claims themselves.
local names, expected, heads, rests, scores_to_be, counts, closings, planneds, whats, targets, lengths, rare =
  unpack(moves)
local size = #names

local PLAN, REQUEST, CLAIM = 1, 2, 3
local asked, opened, watched = {}, {}, {}
for place, m in pairs(rare) do
  if m[1] == REQUEST then asked[#asked + 1] = m[2] end
  if m[1] == CLAIM then opened[#opened + 1] = m[2] end
  if m[9] then watched[#watched + 1] = names[place] end
end
local rows = read('rows', names)
local requests = read('requests', asked)
local claims = read('claims', opened)
local running, ran_before = read_running(watched)
local moved, scores = {}, {}
know_tails(names)

local function starts(text, head)
  return text and find(text, head, 1, true) == 1
end

-- row: planned, revision, flags | runs, last | due, fingerprint, rules
local lasts = {}
local function count(place, row, at_runs, head, rest)
  local runs, last, at_rest = match(row, '^(%d+)\t(%-?%d*)\t()', at_runs)
  if not runs then return false end -- it is damaged
  local planned, name = planneds[place], names[place]
  lasts[place] = last
  if counts[place] > 0 then
    runs = runs + counts[place]
    if planned ~= '' and (last == '' or tonumber(planned) > tonumber(last)) then last = planned end
  end
  rows[name] = head .. runs .. '\t' .. last .. '\t' .. (rest or sub(row, at_rest))
  moved[name] = true
  return true
end

local function count_only(place)
  local row = rows[names[place]]
  if row and closings[place] ~= '' then
    local at_runs = match(row, '^[^\t]*\t[^\t]*\t[^\t]*\t()')
    if at_runs then count(place, row, at_runs, sub(row, 1, at_runs - 1)) end
  end
end

-- An edit made before the claim is honoured: what runs is the entry at this revision.
local function is_edited(place, revision)
  if revision == '' then return false end
  local row = rows[names[place]]
  return not row or match(row, '^[^\t]*\t([^\t]*)') ~= revision
end

-- Whether this moment may have been claimed and closed before (a plan that was set back, an entry
-- that was removed and added again): only then is its line looked for when it is recorded.
local function again(place, m)
  if sub(closings[place], -1) ~= ':' then return '' end -- a request's own random id
  if m and m.old then return match(m.old, '\t(1?)$') end
  local last = lasts[place]
  if not last or last == '' then return tails[names[place]] and '1' or '' end
  return tonumber(planneds[place]) <= tonumber(last) and '1' or ''
end

local function change_run(place, kind, change)
  local name = names[place]
  local text, is_over = changed_running(running[name], change, kind == PLAN, at)
  running[name] = text
  if not is_over then return end
  local row, score = with_due(rows[name], at, true)
  if row then
    rows[name], scores[name], moved[name] = row, score, true
    call('PUBLISH', base .. 'changed', 'due')
  end
end

-- rare: kind, found by, begins with, begins with instead, revision, skips, closed by them, backlog,
--   change of the running run or false, origin of the run or '', origin of the skips or ''
local function look(place, m)
  local kind = m and m[1] or PLAN
  local change = m and m[9]
  if change and not is_as_seen(running[names[place]], change, at) then return false end
  if kind == PLAN then
    local name, expect = names[place], expected[place]
    local row = rows[name]
    if not starts(row, expect) then return false end
    if heads[place] == '' then
      if not count(place, row, #expect + 1, expect) then return false end
    else
      if not count(place, row, #expect + 1, heads[place], rests[place]) then return false end
      scores[name] = scores_to_be[place]
    end
  elseif kind == REQUEST then
    local request = requests[m[2]]
    if not starts(request, m[3]) or is_edited(place, m[5]) then return false end
    requests[m[2]] = m[4] ~= '' and m[4] .. sub(request, #m[3] + 1) or false
    count_only(place)
  else
    if not starts(claims[m[2]], m[3]) or is_edited(place, m[5]) then return false end
    m.old = claims[m[2]]
    claims[m[2]] = false
    count_only(place)
  end
  if change then change_run(place, kind, change) end
  return true
end

local made, reasons, keys, bodies, kinds = {}, {}, {}, {}, {}

local function unpushable(key)
  local kind = kinds[key]
  if not kind then
    kind = call('TYPE', key).ok
    kinds[key] = kind
  end
  if kind ~= 'list' and kind ~= 'none' then
    return 'WRONGTYPE ' .. key .. ' holds a ' .. kind .. ', not a queue'
  end
end

local function push_later(key, body, place)
  local list = bodies[key]
  if not list then
    list = {places = {}}
    keys[#keys + 1] = key
    bodies[key] = list
  end
  list[#list + 1] = body
  list.places[#list.places + 1] = place
end

local body_number, body_at = 0, 1
local function next_body()
  body_number = body_number + 1
  local begins = body_at
  body_at = begins + lengths[body_number]
  return sub(ARGV[6], begins, body_at - 1)
end

-- A backlog moves one entry many times, and each of its moves may have left a line by now.
local how_often
local function times_named(name)
  if not how_often then
    how_often = {}
    for _, one in ipairs(names) do how_often[one] = (how_often[one] or 0) + 1 end
  end
  return how_often[name]
end

local done = {}
for place = 1, size do
  local target, body = targets and targets[place], nil
  if type(target) == 'string' then
    body = next_body()
  elseif target then
    body = {}
    for number_of = 1, #target do body[number_of] = next_body() end
  end
  if look(place, rare[place]) then
    made[place] = '1'
    if type(target) == 'string' then
      local reason = unpushable(target)
      if reason then
        made[place], reasons[place] = '2', reason
      else
        push_later(target, body, place)
      end
    elseif target then
      local reason
      for _, key in ipairs(target) do reason = reason or unpushable(key) end
      if reason then
        made[place], reasons[place] = '2', reason
      else
        for number_of, key in ipairs(target) do push_later(key, body[number_of], place) end
      end
    end
  else
    made[place] = '0'
    if target and closings[place] ~= '' then
      -- Already ended by this batch: the reply was lost, and this is its second try.
      local line = find_line(names[place], closings[place], 10 + times_named(names[place]))
      if line and line.state == 'P' then
        made[place] = '1'
      elseif line and line.state == 'F' then
        made[place], reasons[place] = '2', match(line.body, '([^\t]*)$')
      end
      done[place] = true
    end
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

-- A run whose message was refused is not running.
for place, m in pairs(rare) do
  if m[9] and made[place] == '2' and running_id(running[names[place]]) == m[9][4] then
    change_run(place, m[1], {'', '', true, ''})
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
keep_running(running, ran_before)

local claim_pairs, open_pairs, opens = {}, {}, {}
local closed, origin_pairs = {}, {}
for place = 1, size do
  local name = names[place]
  if made[place] ~= '0' and not done[place] then
    local m = rare[place]
    if m and m[1] == REQUEST then
      local request = requests[m[2]]
      if request then
        call('HSET', base .. 'requests', m[2], request)
      else
        call('HDEL', base .. 'requests', m[2])
        call('ZREM', base .. 'asked', m[2])
        call('ZREM', base .. 'asked_of', name .. '\0' .. m[2])
      end
    elseif m and m[1] == CLAIM then
      call('HDEL', base .. 'claims', m[2])
      call('ZREM', base .. 'open', m[2])
      call('ZREM', base .. 'unsent', m[2])
      closed[#closed + 1] = m[2]
    end
    for _, body in ipairs(m and m[6] or {}) do
      add_line(at, name, m[7], 'S', number, body, m[11])
    end
    if targets and targets[place] then
      local due, task_id = match(whats[place], '^([^\t]*)\t(.*)$')
      if made[place] == '1' then
        add_line(at, name, closings[place], 'P', number, published(at, due, task_id), m and m[10])
      else
        add_line(at, name, closings[place], 'F', number, failed(task_id, reasons[place]), m and m[10])
      end
    elseif closings[place] ~= '' then
      local key = closings[place] .. ':' .. name
      opens[#opens + 1] = key
      claim_pairs[#claim_pairs + 1] = key
      claim_pairs[#claim_pairs + 1] = table.concat(
        {at, number, whats[place], place, again(place, m)}, '\t')
      open_pairs[#open_pairs + 1] = at
      open_pairs[#open_pairs + 1] = key
      if m and m[10] ~= '' then
        origin_pairs[#origin_pairs + 1] = key
        origin_pairs[#origin_pairs + 1] = m[10]
      end
    end
    local backlog = m and m[8]
    if backlog then
      call('HSET', base .. 'requests', backlog[1], backlog[2])
      call('ZADD', base .. 'asked', 'NX', call('INCR', base .. 'asked_last'), backlog[1])
      call('ZADD', base .. 'asked_of', 0, name .. '\0' .. backlog[1])
    end
  end
end
if call('EXISTS', base .. 'origins') == 1 then
  spread('HDEL', 'origins', closed)
  spread('HDEL', 'origins', opens)
end
spread('HSET', 'origins', origin_pairs)
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
