-- Add the requests that are not pending yet.   ARGV: packed requests {id, name, value}
for _, request in ipairs(cmsgpack.unpack(ARGV[1])) do
  if call('HSETNX', base .. 'requests', request[1], request[3]) == 1 then
    call('ZADD', base .. 'asked', call('INCR', base .. 'asked_last'), request[1])
    call('ZADD', base .. 'asked_of', 0, request[2] .. '\0' .. request[1])
  end
end
call('PUBLISH', base .. 'changed', 'asked')
return 1
