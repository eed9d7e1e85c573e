-- Puts a paper on a reading list, with an annotation.
-- KEYS the list, the annotations of its papers
-- ARGV paper, now in seconds, annotation ("-" for none, "" to leave it as it is), maximum number of papers
-- -> 1 if it is new on the list
local most = tonumber(ARGV[4])
local added = redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
if ARGV[3] == '-' then
  redis.call('HDEL', KEYS[2], ARGV[1])
elseif ARGV[3] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
end
local over = redis.call('ZCARD', KEYS[1]) - most
if over > 0 then
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1)
end
if redis.call('HLEN', KEYS[2]) > most then -- notes of removed papers stay until there are too many
  for _, paper in ipairs(redis.call('HKEYS', KEYS[2])) do
    if not redis.call('ZSCORE', KEYS[1], paper) then
      redis.call('HDEL', KEYS[2], paper)
    end
  end
end
return added
