local DAY = 86400000

-- Removes the members that a rolling window has left behind, and returns how many are in it.
local function in_window(zset, window)
  redis.call('ZREMRANGEBYSCORE', zset, '-inf', now_ms() - window)
  return redis.call('ZCARD', zset)
end

local function note(zset, window, member, at)
  redis.call('ZADD', zset, at, member)
  redis.call('PEXPIRE', zset, math.ceil(at - now_ms()) + window)
end
