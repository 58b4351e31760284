-- A worker says that it lives, and gets its share of the lanes that are free. Those of the dead are.
-- KEYS: lanes, free, beats, loads, epoch. ARGV: worker, how long it lives without a further word (ms),
-- '1' if it wants to hear of all its lanes, and how many lanes it takes at most.
-- Answers 1 if it was known, how many lanes it should leave to others, how many it has, and lanes with
-- their epochs: those that it takes, or all that it has.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me = ARGV[1]
local known = redis.call('ZSCORE', KEYS[3], me)
redis.call('ZADD', KEYS[3], string.format('%.0f', now + tonumber(ARGV[2])), me)
local told, load = {}, tonumber(redis.call('ZSCORE', KEYS[4], me) or '0')

local dead = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now))
for _, worker in ipairs(dead) do
  redis.call('ZREM', KEYS[3], worker)
  redis.call('ZREM', KEYS[4], worker)
end
if #dead > 0 or ARGV[3] == '1' then
  local all = redis.call('HGETALL', KEYS[1])
  load = 0
  for at = 1, #all, 2 do
    local epoch, worker = string.match(all[at + 1], '^(%d+) (.*)$')
    if worker == me then
      load = load + 1
      if ARGV[3] == '1' then
        told[#told + 1] = all[at]
        told[#told + 1] = epoch
      end
    elseif not worker or not redis.call('ZSCORE', KEYS[3], worker) then
      redis.call('HSET', KEYS[1], all[at], '')
      redis.call('SADD', KEYS[2], all[at])
    end
  end
end

local share = math.ceil(redis.call('HLEN', KEYS[1]) / redis.call('ZCARD', KEYS[3]))
local epoch = tonumber(redis.call('GET', KEYS[5]) or '0')
local taken = 0
while load < share and taken < tonumber(ARGV[4]) do
  local lane = redis.call('SPOP', KEYS[2])
  if not lane then break end
  if redis.call('HGET', KEYS[1], lane) == '' then
    epoch = math.max(now, epoch + 1)
    local text = string.format('%.0f', epoch)
    redis.call('HSET', KEYS[1], lane, text .. ' ' .. me)
    told[#told + 1] = lane
    told[#told + 1] = text
    taken = taken + 1
    load = load + 1
  end
end
if taken > 0 then redis.call('SET', KEYS[5], string.format('%.0f', epoch)) end
redis.call('ZADD', KEYS[4], load, me)

local least = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
return {known and 1 or 0, math.floor((load - least[2]) / 2), load, told}
