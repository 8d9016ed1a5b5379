-- A herd as it most often is: each move takes a plan row on and pushes one message, and all goes well.
-- It does all of that, or nothing and says 'no': then `moves` looks at each of them by itself.
--   ARGV: number and token of the term, at, packed columns, all bodies by queue, packed lines of history
local number, token, at = ARGV[1], ARGV[2], ARGV[3]

local leads = call('HMGET', base .. 'term', 'number', 'token', 'holder')
if leads[1] ~= number or leads[2] ~= token then
  return {'deposed', leads[1] or '', leads[3] or ''}
end

local names, planneds, expected, heads, rests, scores, keys, lengths =
  unpack(cmsgpack.unpack(ARGV[4]))

-- row: planned, revision, flags | runs, last | due, fingerprint, rules
local rows, score_pairs = call('HMGET', base .. 'rows', unpack(names)), {}
local row_pairs = {}
for place, name in ipairs(names) do
  local row, expect = rows[place], expected[place]
  if not row or find(row, expect, 1, true) ~= 1 then return {'no'} end
  local runs, last = match(row, '^(%d+)\t(%-?%d*)\t', #expect + 1)
  local planned = planneds[place]
  if last ~= '' and tonumber(last) > tonumber(planned) then planned = last end
  row_pairs[place * 2 - 1] = name
  row_pairs[place * 2] = heads[place] .. runs + 1 .. '\t' .. planned .. '\t' .. rests[place]
  score_pairs[place * 2 - 1] = scores[place]
  score_pairs[place * 2] = name
end

for _, key in ipairs(keys) do
  local kind = redis.pcall('TYPE', key)
  if kind.ok ~= 'list' and kind.ok ~= 'none' then return {'no'} end
end

local bodies, ends, refused, reply = ARGV[5], 0, {}, {'done'}
for queue, key in ipairs(keys) do
  local list = {}
  for place, length in ipairs(lengths[queue]) do
    list[place] = sub(bodies, ends + 1, ends + length)
    ends = ends + length
  end
  local pushed = redis.pcall('LPUSH', key, unpack(list))
  if type(pushed) == 'table' then
    if queue == 1 then return {'no'} end
    refused[queue] = pushed.err
    reply[#reply + 1] = queue
    reply[#reply + 1] = pushed.err
  end
end

call('HSET', base .. 'rows', unpack(row_pairs))
call('ZADD', base .. 'plan', unpack(score_pairs))
-- What is left grows no further than this, though no moment be idle.
if call('LLEN', base .. 'unwritten') >= 16 * LEFT then write_up(#names) end
call('RPUSH', base .. 'unwritten', at, number, cmsgpack.pack(refused), ARGV[6], 1)
return reply
