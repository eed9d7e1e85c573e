-- Gives a turn under a shared rate limit: never more than `count` posts in any `per` ms.
-- KEYS slots (ZSET post -> its time), until   ARGV post, count, per, maximum wait in ms
-- -> {1, ms to wait} if a turn was given, {0, ms} if the wait would be too long
-- A repeated call for the same post gets the same turn.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mine = redis.call('ZSCORE', KEYS[1], ARGV[1])
if mine then
  return { 1, math.max(0, math.ceil(mine - now)) }
end
local count, per = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - per)
local slot = math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0'))
local before = redis.call('ZRANGE', KEYS[1], -count, -count, 'WITHSCORES')
if before[2] then
  slot = math.max(slot, before[2] + per)
end
if slot - now > tonumber(ARGV[4]) then
  return { 0, math.ceil(slot - now) }
end
redis.call('ZADD', KEYS[1], slot, ARGV[1])
redis.call('PEXPIRE', KEYS[1], slot - now + 2 * per)
return { 1, math.ceil(slot - now) }
