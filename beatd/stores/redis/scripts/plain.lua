-- Claim, push and record the usual batch: each move moves a row of the plan on and pushes one message.
-- Do all of it, or return 'no' and do nothing: then `moves` handles each move by itself.
--   ARGV: packed columns, packed lines of history, all bodies by queue; number and token of the term, at
-- A body is an argument: Redis makes a Lua text of it, reading each byte, and a part of one were another.
local size = #ARGV
local lines, number, token, at = ARGV[2], ARGV[size - 2], ARGV[size - 1], ARGV[size]

local leads = call('HMGET', base .. 'term', 'number', 'token', 'holder')
if leads[1] ~= number or leads[2] ~= token then
  return {'deposed', leads[1] or '', leads[3] or ''}
end

local names, planneds, expected, heads, rests, scores, keys, counts, changes =
  unpack(cmsgpack.unpack(ARGV[1]))

-- row: planned, revision, flags | runs, last | due, fingerprint, rules
local rows, score_pairs = call('HMGET', base .. 'rows', unpack(names)), {}
local row_pairs = {}
for place, name in ipairs(names) do
  local row, expect = rows[place], expected[place]
  if not row or find(row, expect, 1, true) ~= 1 then return {'no'} end
  local runs, last = match(row, '^(%d+)\t(%-?%d*)\t', #expect + 1)
  if not runs then return {'no'} end
  local planned = planneds[place]
  if last ~= '' and tonumber(last) > tonumber(planned) then planned = last end
  row_pairs[place * 2 - 1] = name
  row_pairs[place * 2] = heads[place] .. runs + 1 .. '\t' .. planned .. '\t' .. rests[place]
  score_pairs[place * 2 - 1] = scores[place]
  score_pairs[place * 2] = name
end

-- The runs that become the running ones of their entries, by place: the change, queue.
local running, ran_before
if changes then
  local watched = {}
  for place in pairs(changes) do watched[#watched + 1] = names[place] end
  running, ran_before = read_running(watched)
  for place, change in pairs(changes) do
    local name = names[place]
    if not is_as_seen(running[name], change, at) then return {'no'} end
    running[name] = changed_running(running[name], change, true, at)
  end
end

for _, key in ipairs(keys) do
  local kind = redis.pcall('TYPE', key)
  if kind.ok ~= 'list' and kind.ok ~= 'none' then return {'no'} end
end

local refused, reply, first = {}, {'done'}, 3
for queue, key in ipairs(keys) do
  local pushed = redis.pcall('LPUSH', key, unpack(ARGV, first, first + counts[queue] - 1))
  first = first + counts[queue]
  if type(pushed) == 'table' then
    if queue == 1 then return {'no'} end
    refused[queue] = pushed.err
    reply[#reply + 1] = queue
    reply[#reply + 1] = pushed.err
  end
end

call('HSET', base .. 'rows', unpack(row_pairs))
call('ZADD', base .. 'plan', unpack(score_pairs))
if changes then
  for place, change in pairs(changes) do
    if refused[change[6]] then running[names[place]] = nil end
  end
  keep_running(running, ran_before)
end
-- Keep `unwritten` short even if the server is never idle.
if call('LLEN', base .. 'unwritten') >= 16 * LEFT then write_up(#names) end
call('RPUSH', base .. 'unwritten', at, number, cmsgpack.pack(refused), lines, 1)
return reply
