-- Stops all posts under a shared rate limit for a while.   KEYS slots, until   ARGV for how many ms
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
if until_ms > tonumber(redis.call('GET', KEYS[2]) or '0') then
  redis.call('SET', KEYS[2], string.format('%.0f', until_ms), 'PX', ARGV[1])
end
