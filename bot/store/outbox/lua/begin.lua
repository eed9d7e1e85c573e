-- Write down that the platform is about to be called.
-- ARGV key, token, lease in ms, least ms until the next post in the channel
-- -> {1, the channel's settings, its taste} if the worker may call the platform now, {0} if another worker has the delivery
free_first()
local token, since = unpack(redis.call('HMGET', record(ARGV[1]), 'token', 'since'))
if token ~= ARGV[2] then
  return { 0 }
end
local now, gap = now_ms(), tonumber(ARGV[4])
local health = health_of(channel_of(ARGV[1]))
redis.call('HSET', record(ARGV[1]), 'state', 'sending', 'since', since or now)
redis.call('ZADD', leases_of(platform_of(ARGV[1])), now + ARGV[3], ARGV[1])
-- A post that is a little late does not delay all that follow: the rate is kept on average.
local planned, settings, taste = unpack(redis.call('HMGET', health, 'next', 'settings', 'taste'))
redis.call('HSET', health, 'next', math.max(tonumber(planned or '0'), now - gap / 10) + gap)
return { 1, settings or '', taste or '' }
