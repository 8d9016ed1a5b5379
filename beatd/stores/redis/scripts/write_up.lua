-- Write so many of the lines that `plain` left for later.   ARGV: how many.   Whether there are more.
return write_up(tonumber(ARGV[1])) and 1 or 0
