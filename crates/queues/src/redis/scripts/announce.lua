-- Says that lanes have jobs and that nobody reads them.
-- KEYS: lanes, free, beats, loads, epoch. ARGV: how long a lane is on its way to its worker (ms), then
-- the lanes. Answers whom to wake: the worker with the fewest lanes, if there is any.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for at = 2, #ARGV do
  local lane = ARGV[at]
  local held = redis.call('HGET', KEYS[1], lane)
  local free = not held or held == ''
  if not free then
    local epoch, worker = string.match(held, '^(%d+) (.*)$')
    if not redis.call('ZSCORE', KEYS[3], worker) or now - epoch > tonumber(ARGV[1]) then
      -- Its worker is gone, or has just left it, or nobody told it.
      if redis.call('ZSCORE', KEYS[4], worker) then redis.call('ZINCRBY', KEYS[4], -1, worker) end
      free = true
    end
  end
  if free then
    redis.call('HSET', KEYS[1], lane, '')
    redis.call('SADD', KEYS[2], lane)
  end
end
return redis.call('ZRANGE', KEYS[4], 0, 0)
