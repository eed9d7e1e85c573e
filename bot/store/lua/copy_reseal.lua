-- Write a record in another form, unless it was removed or changed meanwhile.
-- KEYS the copies of a channel   ARGV number, record, record in its new form
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
