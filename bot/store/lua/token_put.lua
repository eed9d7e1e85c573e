-- Gives a channel a token, in place of the one that it has for the same purpose.
-- KEYS the channel's tokens, the new token's record
-- ARGV purpose, hash of the secret (and the secret, if it is stored), record, maximum number of tokens, key of a
--      token's record without the hash
-- -> 1, or 0 if the channel has too many tokens
local former = redis.call('HGET', KEYS[1], ARGV[1])
if not former and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return 0
end
if former and former ~= ARGV[2] then
  redis.call('DEL', ARGV[5] .. string.match(former, '^%S+'))
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[3])
return 1
