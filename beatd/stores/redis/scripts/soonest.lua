-- Return a page of names by (due, name) after the name seen last. Its place is found by a binary
-- search, since the entry may have moved meanwhile.
--   ARGV: score and name seen last ('' and '' at first), limit.   Returns name and score in turn.
local plan, from = base .. 'plan', 0
if ARGV[1] ~= '' then
  local score, name = tonumber(ARGV[1]), ARGV[2]
  local low, high = 0, call('ZCARD', plan)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local there = call('ZRANGE', plan, middle, middle, 'WITHSCORES')
    local its = tonumber(there[2])
    if its < score or (its == score and there[1] <= name) then low = middle + 1 else high = middle end
  end
  from = low
end
return call('ZRANGE', plan, from, from + ARGV[3] - 1, 'WITHSCORES')
