-- Close claims with their results, and write their lines. Doing it twice changes nothing.
--   ARGV: packed results {name, closes, state, at, claimed at or '', body, origin or nil,
--   task id of a rejected run or nil}
local results = cmsgpack.unpack(ARGV[1])
local keys, names = {}, {}
for place, r in ipairs(results) do
  names[place] = r[1]
  keys[place] = r[2] .. ':' .. r[1]
end
local claims = read('claims', keys)
know_tails(names)

local closed = {}
for place, r in ipairs(results) do
  local name, closes, state, at = r[1], r[2], r[3], r[4]
  local key = keys[place]
  local claim = claims[key]
  local fact = state == 'P'
  local claimed_at, term, again = '', '0', '1'
  if claim then
    claimed_at, term, again = match(claim, '^(%d+)\t(%d+)\t.*\t(1?)$')
    if not claimed_at then claimed_at, term, again = '', '0', '1' end -- it is damaged
  end
  local anew = claim and not fact and r[5] ~= '' and r[5] ~= claimed_at
  if state == 'U' then
    if claim and not anew then call('ZADD', base .. 'unsent', claimed_at ~= '' and claimed_at or 0, key) end
  elseif not anew then
    -- An open claim has a line only if its moment was claimed a second time.
    local line = again == '1' and find_line(name, closes, 200)
    if claim then
      claims[key] = false
      closed[#closed + 1] = key
    end
    if not (line and (line.state == 'P' or (not claim and not fact))) then
      if line then take_line_back(name, line) end
      add_line(at, name, closes, state, term, r[6], r[7])
      if not fact then end_run(r[8], at) end
    end
  end
end
spread('HDEL', 'claims', closed)
spread('ZREM', 'open', closed)
spread('ZREM', 'unsent', closed)
if call('EXISTS', base .. 'origins') == 1 then spread('HDEL', 'origins', closed) end
keep_tails()
return #results
