-- Counts an edit of a card.
-- KEYS the reasons for which the card was edited   ARGV reason, maximum number of reasons, ms to remember them
-- -> 1 if the card may be edited for this reason
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) or redis.call('SADD', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
