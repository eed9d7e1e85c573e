-- ARGV key, token, lease in ms, least time until the next post in its channel in ms
-- -> {1, the channel's settings} where the platform may be called now, {0} where the delivery is no longer ours
free_first()
local token, since = unpack(redis.call('HMGET', record(ARGV[1]), 'token', 'since'))
if token ~= ARGV[2] then
  return { 0 }
end
local now, gap = now_ms(), tonumber(ARGV[4])
local health = health_of(channel_of(ARGV[1]))
redis.call('HSET', record(ARGV[1]), 'state', 'sending', 'since', since or now)
redis.call('ZADD', leases_of(platform_of(ARGV[1])), now + ARGV[3], ARGV[1])
-- A post that came a little late does not put off all that follow: the rate is kept on average.
local planned, settings = unpack(redis.call('HMGET', health, 'next', 'settings'))
redis.call('HSET', health, 'next', math.max(tonumber(planned or '0'), now - gap / 10) + gap)
return { 1, settings or '' }
