-- Removes everything stored about a channel.   ARGV[1] channel
local channel, now = ARGV[1], now_ms()
free_first()
for _, key in ipairs(redis.call('HVALS', open_of(channel))) do
  if redis.call('EXISTS', record(key)) == 1 then -- a digest holds several papers
    forget(key)
  end
end
for ago = 0, PERIODS do
  redis.call('DEL', sent_of(channel, now, ago))
end
redis.call(
  'DEL', labels_of(channel), open_of(channel), box_of(channel), health_of(channel), budget_of(channel), fits_of(channel),
  messages_of(channel), base .. 'subs:' .. channel, base .. 'mutes:' .. channel, base .. 'votes:' .. channel,
  base .. 'watches:' .. channel)
redis.call('SREM', base .. 'channels', channel)
redis.call('ZREM', posting_of(workspace_of(channel)), channel)
redis.call('ZREM', base .. 'paused', 'channel ' .. channel)
redis.call('ZREM', base .. 'refused', channel)
place(channel)
