-- A platform that was down works again, or is probed: make deliveries due that failed and wait for their next attempt,
-- unless the platform named that time.
-- ARGV platform, how many channels at most   -> how many deliveries are due now
local platform, most, now, hastened = ARGV[1], tonumber(ARGV[2]), now_ms(), 0

local function hasten(channel)
  local before = hastened
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', box_of(channel), '(' .. now, '+inf', 'LIMIT', 0, 100)) do
    local state, failed, named = unpack(redis.call('HMGET', record(key), 'state', 'error', 'named'))
    if (state == 'pending' or state == 'unknown') and failed and not named then
      put(key, state, now)
      hastened = hastened + 1
    end
  end
  return hastened > before
end

free_first()
for _, workspace in ipairs(redis.call('ZRANGE', due_of(platform), 0, -1)) do
  redis.call('HDEL', workspace_health_of(workspace), 'broken')
  for _, channel in ipairs(redis.call('ZRANGE', lane_of(workspace), 0, -1)) do
    if most == 0 then
      break
    end
    local waits = redis.call('HDEL', health_of(channel), 'broken') > 0
    if hasten(channel) or waits then
      most = most - 1
    end
    place(channel)
  end
  place_workspace(workspace)
end
if hastened > 0 then
  wake(platform)
end
return hastened
