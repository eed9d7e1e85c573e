-- Follows a category, or notes that it is still wanted.
-- KEYS the upstream's followed categories, cursors
-- ARGV category, now in ms, maximum number of categories, then its sources
-- -> 1 if it is followed now. A new category starts without a cursor: papers from before it was followed are history.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
    return 0
  end
  for i = 4, #ARGV do
    redis.call('HDEL', KEYS[2], ARGV[i])
  end
end
local since = known and string.match(known, '^%d+') or ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], since .. ' ' .. ARGV[2])
return 1
