-- ARGV key, where it was posted
-- Not fenced: a confirmed post is a fact, whoever reports it and however late.   -> ms until the next look

-- What failed in a channel need not wait its time out, unless the platform named that time. What is unclear must.
local function hasten(channel, now, most)
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', box_of(channel), '(' .. now, '+inf', 'LIMIT', 0, most)) do
    local found = redis.call('HMGET', record(key), 'state', 'tries', 'named')
    if found[1] == 'pending' and tonumber(found[2] or '0') > 0 and not found[3] then
      put(key, 'pending', now)
    end
  end
end

-- A post ends the failures in a row. After a rest it shows that the channel, or the workspace, works again.
local function recover(channel, now)
  local workspace = workspace_of(channel)
  redis.call('HDEL', health_of(channel), 'fails')
  redis.call('HDEL', workspace_health_of(workspace), 'fails')
  if redis.call('HDEL', health_of(channel), 'broken') > 0 then
    hasten(channel, now, 1000)
  end
  if redis.call('HDEL', workspace_health_of(workspace), 'broken') > 0 then
    for _, other in ipairs(redis.call('ZRANGE', lane_of(workspace), 0, 499)) do
      if redis.call('HEXISTS', health_of(other), 'broken') == 1 then
        redis.call('HSET', health_of(other), 'broken', now) -- its rest is over, and its own post hastens its others
      end
      hasten(other, now, 5)
      place(other)
    end
  end
end

free_first()
local key = ARGV[1]
local channel, papers = channel_of(key), redis.call('HGET', record(key), 'papers')
local now = now_ms()
if papers then
  forget(key)
  local sent, posted = sent_of(channel, now, 0), string.format('%.0f %s', now, ARGV[2])
  papers = cjson.decode(papers)
  if #papers > 1 then -- which digest it was in
    posted = posted .. ' ' .. string.match(key, '/(.*)')
  end
  for _, paper in ipairs(papers) do
    redis.call('HSET', sent, paper[1], posted)
  end
  redis.call('PEXPIRE', sent, PERIOD * PERIODS)
  if redis.call('HEXISTS', sent, label_of(key)) == 0 then -- else it is the paper's own, which is not offered again
    redis.call('ZADD', labels_of(channel), now, label_of(key))
    redis.call('PEXPIRE', labels_of(channel), PERIOD)
  end
  recover(channel, now)
  place(channel)
end
return next_look(platform_of(channel), now)
