-- Write some of the lines that `plain` left for later; return 1 if more are left.   ARGV: how many
return write_up(tonumber(ARGV[1])) and 1 or 0
