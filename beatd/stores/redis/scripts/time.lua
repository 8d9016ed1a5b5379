-- The server before the time: the less there is to do after a clock is read, the better the reply.
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and match(info, 'run_id:(%w+)') or ''
local time = call('TIME')
return {time[1], time[2], server}
