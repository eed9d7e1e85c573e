-- What a person decided about a delivery that was set aside.
-- ARGV key, 'retry' or 'drop'   -> 1 where it was waiting for that
local key = ARGV[1]
free_first()
local state, since = unpack(redis.call('HMGET', record(key), 'state', 'since'))
if state ~= 'dead' and state ~= 'held' then
  return 0
end
redis.call('ZREM', base .. 'dead', key)
redis.call('ZREM', base .. 'held', key)
if ARGV[2] == 'drop' then
  forget(key)
else
  redis.call('HDEL', record(key), 'tries', 'deaths')
  -- One that was held is resent: the platform can't say, and the person has. A dead one is asked about first.
  put(key, state == 'dead' and since and 'unknown' or 'pending', now_ms())
  wake(platform_of(key))
end
return 1
