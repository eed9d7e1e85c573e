-- Pauses or resumes a channel or a workspace. Pausing one whose probe just failed postpones its next probe.
-- ARGV 'channel' or 'workspace', its name, reason ('' resumes), a token of this call ('confirmed': a post went through)
-- -> 1 if this caller, and no other, should notify people of the problem
local scope, name, why = ARGV[1], ARGV[2], ARGV[3]
free_first()
local health = scope == 'channel' and health_of(name) or workspace_health_of(name)
local channels = scope == 'channel' and { name } or channels_of(name)
local now, notify = now_ms(), 0
if why == '' then
  unpause(health, scope .. ' ' .. name, channels, now)
  if ARGV[4] == 'confirmed' then
    forget_problem(health)
  end
else
  local paused_at, probe_at, gap = unpack(redis.call('HMGET', health, 'paused_at', 'probe_at', 'probe_gap'))
  if not (paused_at and probe_at) then
    paused_at, gap = paused_at or now, FIRST_PROBE
    redis.call('HSET', health, 'paused_at', paused_at, 'probe_at', now + gap, 'probe_gap', gap)
  elseif tonumber(probe_at) <= now then
    gap = math.min(2 * tonumber(gap), LONGEST_PROBE)
    redis.call('HSET', health, 'probe_at', now + gap, 'probe_gap', gap)
  end
  redis.call('HSET', health, 'paused', why)
  redis.call('ZADD', base .. 'paused', paused_at, scope .. ' ' .. name)
  for _, channel in ipairs(channels) do
    count_all(channel, now)
  end
  local known = redis.call('HMGET', health, 'notified', 'notified_why', 'notifier', 'notifying')
  local is_new = not known[1] or (known[2] ~= why and tonumber(known[1]) + NOTIFIED_AGAIN <= now)
  if is_new and (known[3] == ARGV[4] or tonumber(known[4] or '0') <= now) then
    redis.call('HSET', health, 'notifier', ARGV[4], 'notifying', now + 60000)
    notify = 1
  end
end
if scope == 'channel' then
  place(name)
else
  place_workspace(name)
end
wake(platform_of(name))
return notify
