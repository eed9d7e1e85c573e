-- Drops the categories that were last wanted before a time.   KEYS the upstream's followed categories   ARGV time in ms
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(string.match(all[i + 1], '%d+$')) < tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], all[i])
  end
end
