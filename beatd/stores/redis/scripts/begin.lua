-- Issue a term. Return its number, 1 if the store had lost its namespace, and the namespace.
--   ARGV: token, holder, namespace
local anew = call('SETNX', base .. 'namespace', ARGV[3])
local number = call('HINCRBY', base .. 'term', 'number', 1)
call('HSET', base .. 'term', 'token', ARGV[1], 'holder', ARGV[2])
return {number, anew, call('GET', base .. 'namespace')}
