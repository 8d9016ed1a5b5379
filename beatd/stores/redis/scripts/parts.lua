-- Return how many rows, definitions, names in the plan and names by source there are, counted at one
-- instant. The four numbers are equal if no entry lost a part.
local listed = 0
for _, source in ipairs(call('SMEMBERS', base .. 'sources')) do
  listed = listed + call('ZCARD', base .. 'names:' .. source)
end
return {call('HLEN', base .. 'rows'), call('HLEN', base .. 'entries'),
  call('ZCARD', base .. 'plan'), listed}
