-- Restores a subscription.
-- KEYS the channel's subscriptions, the channel, the shard's channels, the shard's changes
-- ARGV channel, number, record, limit, maximum length of the stream
-- -> its number: the one in ARGV, or another if that is taken; the existing subscription's if the query exists already;
--    0 if the limit is reached
local record, number = cjson.decode(ARGV[3]), tonumber(ARGV[2])
local query = record.key or record.query
local all, taken = redis.call('HGETALL', KEYS[1]), false
for i = 1, #all, 2 do
  local existing = decoded(all[i + 1])
  if existing and (existing.key or existing.query) == query then
    return tonumber(all[i])
  end
  taken = taken or tonumber(all[i]) == number
end
if #all / 2 >= tonumber(ARGV[4]) then
  return 0
end
local last = tonumber(redis.call('HGET', KEYS[2], 'last') or '0')
number = taken and last + 1 or number
redis.call('HSET', KEYS[2], 'last', math.max(last, number))
redis.call('HSET', KEYS[1], number, ARGV[3])
redis.call('SADD', KEYS[3], ARGV[1])
append_change(KEYS[4], now_ms(), ARGV[5], { 'channel', ARGV[1], 'number', number, 'record', ARGV[3] })
return number
