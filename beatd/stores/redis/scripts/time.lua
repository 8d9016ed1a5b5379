-- Return the time and the run id of the server. The clock is read last, so that the time is fresh.
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and match(info, 'run_id:(%w+)') or ''
local time = call('TIME')
return {time[1], time[2], server}
