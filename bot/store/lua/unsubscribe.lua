-- Removes a subscription.
-- KEYS the channel's subscriptions, the channel, the shard's changes
-- ARGV channel, number, maximum length of the stream, token of this request   -> the record that was removed, or nil
local record = redis.call('HGET', KEYS[1], ARGV[2])
if not record then
  -- The answer to an earlier call may have been lost: the last removal is remembered.
  local last = redis.call('HMGET', KEYS[2], 'unrequest', 'removed')
  return last[1] == ARGV[4] and last[2]
end
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], 'unrequest', ARGV[4], 'removed', record)
append_change(KEYS[3], now_ms(), ARGV[3], { 'channel', ARGV[1], 'number', ARGV[2] })
return record
