-- Carries out the operator's decision about a dead letter.
-- ARGV key, 'retry' or 'drop'   -> 1 if it was a dead letter
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
  -- A held delivery is posted: the platform can't say whether it was, and the operator has decided. For a dead one, the
  -- platform is asked first.
  put(key, state == 'dead' and since and 'unknown' or 'pending', now_ms())
  wake(platform_of(key))
end
return 1
