-- ARGV[1] channel: nothing of it is left
local channel, now = ARGV[1], now_ms()
free_first()
local open = base .. 'open:' .. channel
for _, key in ipairs(redis.call('HVALS', open)) do
  if redis.call('EXISTS', record(key)) == 1 then -- a digest holds several papers
    forget(key)
  end
end
for ago = 0, PERIODS do
  redis.call('DEL', sent_of(channel, now, ago))
end
redis.call('DEL', labels_of(channel), open, box_of(channel), health_of(channel), base .. 'subs:' .. channel, base .. 'mutes:' .. channel, base .. 'votes:' .. channel)
redis.call('SREM', base .. 'channels', channel)
place(channel)
