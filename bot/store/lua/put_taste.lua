-- Stores a channel's taste, unless someone else changed it since it was read.
-- KEYS the channel's hash, its list of fits
-- ARGV the taste that was read ('' for none), the new taste, 1 if the fits are replaced, seconds to store them, fits…
-- -> 1 if it is stored
local stored = redis.call('HGET', KEYS[1], 'taste') or ''
if stored ~= ARGV[1] and stored ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'taste', ARGV[2])
if ARGV[3] == '1' then
  redis.call('DEL', KEYS[2])
  for i = 5, #ARGV do
    redis.call('RPUSH', KEYS[2], ARGV[i])
  end
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
return 1
