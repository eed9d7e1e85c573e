-- Takes all deliveries back from their workers, which are known to be dead, as if their leases had expired.
-- ARGV platform   -> how many deliveries were freed
local platform, now = ARGV[1], now_ms()
local keys = redis.call('ZRANGE', leases_of(platform), 0, -1)
for _, key in ipairs(keys) do
  local state, due = unpack(redis.call('HMGET', record(key), 'state', 'due'))
  let_go(key)
  if not state then
    place(channel_of(key)) -- its record is gone
  elseif state == 'claimed' then
    put(key, 'pending', tonumber(due) or now)
  else
    if state == 'sending' then -- it may be what killed its worker
      redis.call('HINCRBY', record(key), 'deaths', 1)
    end
    put(key, 'unknown', now)
  end
end
if #keys > 0 then
  wake(platform)
end
return #keys
