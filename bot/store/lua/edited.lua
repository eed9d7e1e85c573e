-- KEYS what a posted card was brought up to date for   ARGV for what now, how often at most, ms to remember it
-- -> 1 where it may be edited for that now
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) or redis.call('SADD', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
