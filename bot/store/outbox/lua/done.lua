-- Records that the platform confirmed a post.
-- ARGV key, where it was posted, JSON list of its papers in the message's order
-- Not fenced: a confirmed post is a fact, whichever worker reports it and however late.
-- -> {ms until the next look, 1 if the other shards have to know that the channel's workspace works again}

-- Makes a channel's failed deliveries due now, because a post went through, unless the platform named their time. A
-- delivery whose state is unknown must wait.
local function hasten(channel, now, most)
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', box_of(channel), '(' .. now, '+inf', 'LIMIT', 0, most)) do
    local found = redis.call('HMGET', record(key), 'state', 'tries', 'named', 'refused_at', 'alone')
    local failed = tonumber(found[2] or '0') > 0 or (found[4] and not found[5])
    if found[1] == 'pending' and failed and not found[3] then
      put(key, 'pending', now)
    end
  end
end

-- A post ends the failures in a row, a pause, and the problem that people were notified of.
-- -> 1 if the workspace was paused or had such a problem
local function recover(channel, now)
  local workspace, resumed = workspace_of(channel), 0
  local health, workspace_health = health_of(channel), workspace_health_of(workspace)
  redis.call('HDEL', health, 'fails')
  redis.call('HDEL', workspace_health, 'fails')
  forget_problem(health)
  redis.call('HSET', health, 'passed', now)
  if redis.call('HDEL', health, 'refused', 'refused_noticed') > 0 then
    redis.call('ZREM', base .. 'refused', channel)
    hasten(channel, now, 1000)
  end
  if forget_problem(workspace_health) then
    resumed = 1
  end
  if redis.call('HEXISTS', health, 'paused') == 1 then
    unpause(health, 'channel ' .. channel, { channel }, now)
    hasten(channel, now, 1000)
  end
  if redis.call('HDEL', health, 'broken') > 0 then
    hasten(channel, now, 1000)
  end
  if redis.call('HEXISTS', workspace_health, 'paused') == 1 then
    unpause(workspace_health, 'workspace ' .. workspace, channels_of(workspace), now)
    resumed = 1
  end
  if redis.call('HDEL', workspace_health, 'broken') > 0 then
    for _, other in ipairs(redis.call('ZRANGE', lane_of(workspace), 0, 499)) do
      if redis.call('HEXISTS', health_of(other), 'broken') == 1 then
        redis.call('HSET', health_of(other), 'broken', now) -- its break is over; its next post hastens the others
      end
      hasten(other, now, 5)
      place(other)
    end
  end
  return resumed
end

-- Maximum number of a workspace's channels that a shard remembers for having been posted in.
local CHANNELS = 200

local function remember_posting(channel, now)
  local posting = posting_of(workspace_of(channel))
  redis.call('ZADD', posting, now, channel)
  redis.call('ZREMRANGEBYRANK', posting, 0, -CHANNELS - 1)
  redis.call('PEXPIRE', posting, PERIOD * PERIODS)
end

-- Enqueues the post for the channel's copies, in the same step, so that no copy is lost or posted twice.
local function copy(key, papers, shown, now)
  local channel, detected, room = channel_of(key), unpack(redis.call('HMGET', record(key), 'detected', 'room'))
  local copies = redis.call('HGETALL', copies_of(channel))
  if #copies == 0 then
    return
  end
  local ordered = {}
  for nth, paper in ipairs(papers) do
    ordered[nth] = { paper, shown[paper[1]] or nth, nth }
  end
  table.sort(ordered, function(a, b)
    return a[2] < b[2] or (a[2] == b[2] and a[3] < b[3])
  end)
  for nth, entry in ipairs(ordered) do
    ordered[nth] = entry[1]
  end
  for i = 2, #copies, 2 do
    local readable, values = pcall(cjson.decode, copies[i])
    if readable and type(values) == 'table' and type(values.to) == 'string' then
      local there = values.to .. '/' .. label_of(key)
      if redis.call('EXISTS', record(there)) == 1 then -- an earlier post of that name still waits
        there = string.format('%s+%.0f', there, now)
      end
      there = add(there, ordered, { due = now, detected = detected })
      if room then -- how many of its papers the post showed
        redis.call('HSET', record(there), 'room', room)
      end
      wake(platform_of(values.to))
    end
  end
end

free_first()
local key = ARGV[1]
local channel, papers = channel_of(key), papers_of(key)
local now, resumed = now_ms(), 0
if papers then
  local shown = {}
  for nth, paper in ipairs(cjson.decode(ARGV[3] or '[]')) do
    shown[paper] = nth
  end
  copy(key, papers, shown, now)
  forget(key)
  local sent, posted = sent_of(channel, now, 0), string.format('%.0f %s ', now, ARGV[2])
  if #papers > 1 or string.match(key, '/rest@') then -- which digest it was in
    posted = posted .. label_of(key)
  end
  for nth, paper in ipairs(papers) do -- its place in the message and its reasons: feeds show them
    local place_in_message = shown[paper[1]] or nth
    redis.call('HSET', sent, paper[1], posted .. ' ' .. place_in_message .. ' ' .. cjson.encode(paper[2] or {}))
  end
  redis.call('PEXPIRE', sent, PERIOD * PERIODS)
  if not original_of(channel) then -- people don't read copies
    remember_posting(channel, now)
  end
  if redis.call('HEXISTS', sent, label_of(key)) == 0 then -- else the label is the paper's id, which is not enqueued again
    redis.call('ZADD', labels_of(channel), now, label_of(key))
    redis.call('ZREMRANGEBYSCORE', labels_of(channel), '-inf', now - PERIOD)
    redis.call('PEXPIRE', labels_of(channel), PERIOD)
  end
  resumed = recover(channel, now)
  place(channel)
end
return { next_look(platform_of(channel), now), resumed }
