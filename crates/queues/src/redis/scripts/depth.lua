-- KEYS: jobs. Answers how many jobs a lane has, and the id of the oldest.
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
return {redis.call('XLEN', KEYS[1]), oldest[1] and oldest[1][1] or ''}
