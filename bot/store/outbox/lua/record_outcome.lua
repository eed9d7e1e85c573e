-- The outcome of a delivery that was not confirmed.
-- ARGV key, token, JSON of {state: pending | unknown | dead | held | folded, rest, due, after, counts, clean, limit, why,
--      named, tries, threshold, first, most, workspace_threshold, refused: channel | platform | false, passed, doomed}
-- -> {ms until the next look, 1 if the channel's posts have been refused for a day now}

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

local NOTICED_AFTER = 86400000 -- ms of unexplained refusals in a channel until the operator hears of it

-- An unexplained refusal: is it about this card? If other posts got through since the one before, it seems so.
-- -> whether it has been alone with it for too long, whether the operator is to hear of the channel
local function note_refusal(key, channel, now, how)
  local health, notice = health_of(channel), false
  local last = tonumber(redis.call('HGET', record(key), 'refused_at'))
  local passed = redis.call('HGET', health, 'passed')
  if how.refused == 'platform' then
    passed = how.passed and now - how.passed
  else
    redis.call('HSET', health, 'refused', how.why)
    redis.call('ZADD', base .. 'refused', 'NX', now, channel)
    local since = tonumber(redis.call('ZSCORE', base .. 'refused', channel))
    notice = now - since >= NOTICED_AFTER and redis.call('HSETNX', health, 'refused_noticed', 1) == 1
  end
  redis.call('HINCRBY', record(key), 'refusals', 1)
  redis.call('HSET', record(key), 'refused_at', now)
  local is_alone = last and passed and tonumber(passed) > last
  return is_alone and redis.call('HINCRBY', record(key), 'alone', 1) >= how.doomed, notice
end

free_first()
local noticed = 0
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
  local doomed = false
  if how.refused then
    local notice
    doomed, notice = note_refusal(key, channel, now, how)
    noticed = notice and 1 or 0
  end
  if doomed then
    local why = how.why .. ' — refused ' .. how.doomed .. ' times while other posts got through'
    set_aside(key, 'dead', now, why)
  elseif how.state == 'dead' or how.state == 'held' then
    set_aside(key, how.state, now, how.why)
  elseif tries >= how.tries then
    set_aside(key, 'dead', now, how.why)
  else
    put(key, how.state, now + (how.limit and 0 or how.after))
  end
end
return { next_look(platform_of(channel), now), noticed }
