-- A worker leaves a lane. Its epoch is remembered for a while, so that what it sent before and what
-- comes late reads nothing.
-- KEYS: jobs, lane. ARGV: epoch, how long that is remembered (ms), '1' to leave it only if it is empty.
-- Answers 'others' if others have it, 'stays' if it is not empty, and else 'jobs' or 'empty'.
local held = tonumber(redis.call('HGET', KEYS[2], 'epoch') or '0')
if held > tonumber(ARGV[1]) then return 'others' end
local empty = redis.call('XLEN', KEYS[1]) == 0
if ARGV[3] == '1' and not empty then return 'stays' end
redis.call('HDEL', KEYS[2], 'worker', 'waits')
redis.call('HSET', KEYS[2], 'epoch', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if not empty then return 'jobs' end
redis.call('DEL', KEYS[1])
return 'empty'
