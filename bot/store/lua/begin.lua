-- ARGV key, token, lease in ms, least time until the next post in its channel in ms
-- -> 1 where the platform may be called now, 0 where the delivery is no longer ours
free_first()
local token, since = unpack(redis.call('HMGET', record(ARGV[1]), 'token', 'since'))
if token ~= ARGV[2] then
  return 0
end
local now = now_ms()
redis.call('HSET', record(ARGV[1]), 'state', 'sending', 'since', since or now)
redis.call('ZADD', leases_of(platform_of(ARGV[1])), now + ARGV[3], ARGV[1])
redis.call('HSET', health_of(channel_of(ARGV[1])), 'next', now + ARGV[4])
return 1
