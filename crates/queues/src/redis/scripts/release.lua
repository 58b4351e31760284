-- A worker has left a lane, or ends and leaves all that it has.
-- KEYS: lanes, free, beats, loads, epoch. ARGV: worker, then the lane, its epoch, and '1' if it is empty;
-- or nothing more. Answers whom to wake: the worker with the fewest lanes, or all that are left.
local me = ARGV[1]
for at = 2, #ARGV, 3 do
  local lane = ARGV[at]
  if redis.call('HGET', KEYS[1], lane) == ARGV[at + 1] .. ' ' .. me then
    redis.call('ZINCRBY', KEYS[4], -1, me)
    if ARGV[at + 2] == '1' then
      redis.call('HDEL', KEYS[1], lane)
    else
      redis.call('HSET', KEYS[1], lane, '')
      redis.call('SADD', KEYS[2], lane)
    end
  end
end
if #ARGV == 1 then
  local all = redis.call('HGETALL', KEYS[1])
  for at = 1, #all, 2 do
    if string.match(all[at + 1], '^%d+ (.*)$') == me then
      redis.call('HSET', KEYS[1], all[at], '')
      redis.call('SADD', KEYS[2], all[at])
    end
  end
  redis.call('ZREM', KEYS[3], me)
  redis.call('ZREM', KEYS[4], me)
  return redis.call('ZRANGE', KEYS[4], 0, -1)
end
return redis.call('ZRANGE', KEYS[4], 0, 0)
