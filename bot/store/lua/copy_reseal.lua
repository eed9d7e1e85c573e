-- Replaces a copy's record, unless it was removed or changed in the meantime.
-- KEYS the copies of a channel   ARGV number, old record, new record
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
