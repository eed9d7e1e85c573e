-- The outcome of a delivery that was not confirmed.
-- ARGV key, token, JSON of {state: pending | unknown | dead | held | folded, rest, due, after, counts, clean, limit, why,
--      named, tries, threshold, first, most, workspace_threshold}   -> ms until the next look

-- The budget has no room for it: its papers join the message of folded papers. A probe tries another delivery at once.
local function fold(key, channel, label, due, now)
  local papers = papers_of(key) or {}
  for _, health in ipairs({ health_of(channel), workspace_health_of(workspace_of(channel)) }) do
    if redis.call('HEXISTS', health, 'paused') == 1 then
      redis.call('HSET', health, 'probe_at', now)
    end
  end
  forget(key)
  add(channel .. '/' .. label, papers, { due = due })
end

free_first()
local key, how = ARGV[1], cjson.decode(ARGV[3])
local channel, now = channel_of(key), now_ms()
local ours = redis.call('HGET', record(key), 'token') == ARGV[2]
if ours and how.state == 'folded' then
  fold(key, channel, how.rest, how.due, now)
elseif ours then
  local workspace = workspace_of(channel)
  let_go(key)
  redis.call('HSET', record(key), 'error', how.why)
  redis.call('HDEL', record(key), 'named')
  if how.named then -- the platform named the time: nothing may make it sooner
    redis.call('HSET', record(key), 'named', 1)
  end
  if how.clean then -- it is certain that it was not posted
    redis.call('HDEL', record(key), 'since')
  end
  local tries = redis.call('HINCRBY', record(key), 'tries', how.counts and 1 or 0)
  if how.counts then
    note_failure(health_of(channel), now, how.threshold, how.first, how.most)
    note_failure(workspace_health_of(workspace), now, how.workspace_threshold, how.first, how.most)
  end
  if how.limit == 'channel' then
    redis.call('HSET', health_of(channel), 'limited', now + how.after)
  elseif how.limit == 'workspace' then
    redis.call('HSET', workspace_health_of(workspace), 'limited', now + how.after)
  end
  if how.state == 'dead' or how.state == 'held' then
    set_aside(key, how.state, now, how.why)
  elseif tries >= how.tries then
    set_aside(key, 'dead', now, how.why)
  else
    put(key, how.state, now + (how.limit and 0 or how.after))
  end
end
return next_look(platform_of(channel), now)
