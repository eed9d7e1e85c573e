-- Restores missing papers, with the time when they were first seen; nothing is announced.
-- KEYS seen, changed, then one record per paper
-- ARGV ms for which records are stored, then three per paper: id, when it was seen in ms ('' if never), the record
local time = redis.call('TIME')
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
local tick = math.max(time[1] * 1000000 + time[2], (tonumber(last) or 0) + 1)
for i = 3, #KEYS do
  local at = 2 + (i - 3) * 3
  if ARGV[at + 1] ~= '' then
    redis.call('ZADD', KEYS[1], 'NX', ARGV[at + 1], ARGV[at])
  end
  if ARGV[at + 2] ~= '' and redis.call('SET', KEYS[i], ARGV[at + 2], 'NX', 'PX', ARGV[1]) then
    redis.call('ZADD', KEYS[2], string.format('%.0f', tick), ARGV[at])
    tick = tick + 1
  end
end
redis.call('PUBLISH', 'pb:wake', 'records')
return #KEYS - 2
