-- Subscribes a channel to a query, unless it is subscribed already.
-- KEYS the channel's subscriptions, the channel, the shard's channels, the shard's changes
-- ARGV channel, query, every, created by, limit, maximum length of the stream, token of this request,
--      canonical query, by which queries are compared
-- -> {number, record, 1 if this request made it}; number 0 if the limit is reached
local request = redis.call('HMGET', KEYS[2], 'request', 'last')
local repeated = request[1] == ARGV[7] -- our answer was lost: the subscription that exists is ours
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local existing = decoded(all[i + 1])
  if existing and (existing.key or existing.query) == ARGV[8] then
    return { tonumber(all[i]), all[i + 1], repeated and 1 or 0 }
  end
end
if #all / 2 >= tonumber(ARGV[5]) then
  return { 0, '', 0 }
end
local now = now_ms()
local record = cjson.encode({ query = ARGV[2], every = ARGV[3], by = ARGV[4], at = now,
  key = ARGV[8] ~= ARGV[2] and ARGV[8] or nil })
local number = redis.call('HINCRBY', KEYS[2], 'last', 1)
redis.call('HSET', KEYS[2], 'request', ARGV[7])
redis.call('HSET', KEYS[1], number, record)
redis.call('SADD', KEYS[3], ARGV[1])
append_change(KEYS[4], now, ARGV[6], { 'channel', ARGV[1], 'number', number, 'record', record })
return { number, record, 1 }
