-- KEYS the reasons for which a card was edited   ARGV reason, how many reasons at most, ms to remember them
-- -> 1 if the card may be edited for this reason
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) or redis.call('SADD', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
