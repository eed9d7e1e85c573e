-- A consumer that has nothing in hand leaves its group; XGROUP DELCONSUMER would drop what it holds.
-- KEYS papers stream   ARGV group, consumer
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
