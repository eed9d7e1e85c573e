-- ARGV 'channel' or 'workspace', which, why ('' resumes)
local scope, name, why = ARGV[1], ARGV[2], ARGV[3]
free_first()
local health = scope == 'channel' and health_of(name) or workspace_health_of(name)
if why == '' then
  redis.call('HDEL', health, 'paused', 'paused_at', 'fails', 'broken')
else
  redis.call('HSET', health, 'paused', why, 'paused_at', now_ms())
end
local channels = { name }
if scope == 'workspace' then
  channels = redis.call('ZRANGE', lane_of(name), 0, -1)
  for _, key in ipairs(redis.call('ZRANGE', leases_of(platform_of(name)), 0, -1)) do
    if workspace_of(key) == name then -- its channel is busy, and in no lane
      channels[#channels + 1] = channel_of(key)
    end
  end
end
local now = now_ms()
for _, channel in ipairs(channels) do
  local counts = not is_paused(channel)
  local box = redis.call('ZRANGE', box_of(channel), 0, -1, 'WITHSCORES')
  for i = 1, #box, 2 do
    count(box[i], counts and is_backlog(box[i], tonumber(box[i + 1]), now))
  end
end
if scope == 'channel' then
  place(name)
else
  place_workspace(name)
end
wake(platform_of(name))
