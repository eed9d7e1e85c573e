-- Takes or renews a lease.
-- KEYS lease, fence   ARGV owner, ms   -> the fence, or 0 if another owner holds the lease
-- A repeated call by the holder renews the lease and keeps its fence.
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('GET', KEYS[2]))
end
if holder then
  return 0
end
local fence = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return fence
