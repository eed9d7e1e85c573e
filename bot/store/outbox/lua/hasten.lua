-- Makes failed deliveries due now, when a platform that was down works again or is probed, unless the platform named
-- the time of their next attempt.
-- ARGV platform, maximum number of channels   -> how many deliveries were made due
local platform, most, now, hastened = ARGV[1], tonumber(ARGV[2]), now_ms(), 0

local LOOKUP_DELAY = 5000 -- ms, as in bot/policy/retry.py

local function hasten(channel)
  local before = hastened
  local box = redis.call('ZRANGEBYSCORE', box_of(channel), '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 100)
  for i = 1, #box, 2 do
    local key, waits = box[i], box[i + 1] - now
    local state, failed, named, alone = unpack(redis.call('HMGET', record(key), 'state', 'error', 'named', 'alone'))
    -- A post that is unknown and due soon may still be in flight: a lookup now would miss it and post it twice.
    local hastens = state == 'pending' or (state == 'unknown' and waits > LOOKUP_DELAY)
    if hastens and failed and not named and not alone then
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
