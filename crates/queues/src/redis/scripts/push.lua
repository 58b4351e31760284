-- Adds jobs to a lane, as many as it may have.
-- KEYS: jobs, lane. ARGV: the limit, then group and payload of each job.
-- Answers how many it added, and whom to wake: false if nobody has the lane, '' if nobody waits.
local free = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[1])
local added = 0
for at = 2, #ARGV, 2 do
  if added >= free then break end
  redis.call('XADD', KEYS[1], '*', 'group', ARGV[at], 'payload', ARGV[at + 1])
  added = added + 1
end
local worker = redis.call('HGET', KEYS[2], 'worker')
if worker and (added == 0 or redis.call('HDEL', KEYS[2], 'waits') == 0) then worker = '' end
return {added, worker}
