-- Write the presence of a daemon.   ARGV: token, presence, ttl in microseconds
call('HSET', base .. 'daemons', ARGV[1],
  format('%.0f', tonumber(clock()) + tonumber(ARGV[3])) .. '\t' .. ARGV[2])
return 1
