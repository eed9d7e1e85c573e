-- Changes fields of a subscription.
-- KEYS the channel's subscriptions, the shard's changes
-- ARGV channel, number, JSON of the fields that change, maximum length of the stream
-- -> the record after the change, or nil
local record = redis.call('HGET', KEYS[1], ARGV[2])
local values = record and decoded(record)
if not values then
  return nil
end
for name, value in pairs(cjson.decode(ARGV[3])) do
  values[name] = value
end
local changed = cjson.encode(values)
if changed ~= record then
  redis.call('HSET', KEYS[1], ARGV[2], changed)
  append_change(KEYS[2], now_ms(), ARGV[4], { 'channel', ARGV[1], 'number', ARGV[2], 'record', changed })
end
return changed
