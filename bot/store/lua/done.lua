-- ARGV key, where it was posted
-- Not fenced: a confirmed post is a fact, whoever reports it and however late.   -> ms until the next look
free_first()
local key = ARGV[1]
local channel, papers = channel_of(key), redis.call('HGET', record(key), 'papers')
local now = now_ms()
if papers then
  forget(key)
  local sent = sent_of(channel, now, 0)
  for _, paper in ipairs(cjson.decode(papers)) do
    redis.call('HSET', sent, paper[1], string.format('%.0f %s', now, ARGV[2]))
  end
  redis.call('PEXPIRE', sent, PERIOD * PERIODS)
  redis.call('HDEL', health_of(channel), 'fails', 'broken')
  redis.call('HDEL', workspace_health_of(workspace_of(channel)), 'fails', 'broken')
  place(channel)
end
return next_look(platform_of(channel), now)
