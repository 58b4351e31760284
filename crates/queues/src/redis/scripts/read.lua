-- Reads a lane's jobs from an id on. Whoever was given the lane later is believed over whoever was
-- given it earlier: that one reads nothing more, however late its call comes.
-- KEYS: jobs, lane. ARGV: epoch, worker, how long the lane is remembered (ms), first id, count.
-- Notes that cannot be made because the memory is full are left out: reading is what frees it.
-- Answers false if others have the lane; otherwise up to where it had been read before, and the jobs.
local held = tonumber(redis.call('HGET', KEYS[2], 'epoch') or '0')
local epoch = tonumber(ARGV[1])
if held > epoch then return false end
if held < epoch then
  redis.call('HSET', KEYS[2], 'epoch', ARGV[1], 'worker', ARGV[2])
elseif redis.call('HGET', KEYS[2], 'worker') ~= ARGV[2] then
  return false
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
local count = tonumber(ARGV[5])
local read = redis.call('HGET', KEYS[2], 'read') or '0-0'
if count == 0 then return {read, {}} end
local jobs = redis.call('XRANGE', KEYS[1], ARGV[4], '+', 'COUNT', count)
if #jobs < count then
  -- It has read everything, so the next push wakes it.
  redis.pcall('HSET', KEYS[2], 'waits', '1')
else
  redis.call('HDEL', KEYS[2], 'waits')
end
if #jobs > 0 then
  local function parts(id)
    local ms, sequence = string.match(id, '(%d+)-(%d+)')
    return tonumber(ms), tonumber(sequence)
  end
  local ms, sequence = parts(jobs[#jobs][1])
  local read_ms, read_sequence = parts(read)
  if ms > read_ms or (ms == read_ms and sequence > read_sequence) then
    redis.pcall('HSET', KEYS[2], 'read', jobs[#jobs][1])
  end
end
return {read, jobs}
