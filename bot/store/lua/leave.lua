-- Removes a consumer from its group if it holds nothing; XGROUP DELCONSUMER would drop the entries that it holds.
-- KEYS papers stream   ARGV group, consumer
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
