-- Records the outcome of a delivery that was not confirmed.
-- ARGV key, token, JSON of {state: pending | unknown | dead | held | folded, rest, due, after, counts, clean, limit, why,
--      named, tries, threshold, first, most, workspace_threshold, refused: channel | platform | false, passed, doomed}
-- -> {ms until the next look, 1 if the channel's posts have been refused for a day now}

-- Folds a delivery that the budget has no room for: its papers join the message of folded papers. If it was a probe,
-- another delivery is tried at once.
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

local NOTICED_AFTER = 86400000 -- ms of unexplained refusals in a channel until the operator is notified

-- Notes an unexplained refusal. It seems to be about this card if other posts got through since the last refusal.
-- -> whether that happened too often, whether the operator should be notified about the channel
local function note_refusal(key, channel, now, outcome)
  local health, notice = health_of(channel), false
  local last = tonumber(redis.call('HGET', record(key), 'refused_at'))
  local passed = redis.call('HGET', health, 'passed')
  if outcome.refused == 'platform' then
    passed = outcome.passed and now - outcome.passed
  else
    redis.call('HSET', health, 'refused', outcome.why)
    redis.call('ZADD', base .. 'refused', 'NX', now, channel)
    local since = tonumber(redis.call('ZSCORE', base .. 'refused', channel))
    notice = now - since >= NOTICED_AFTER and redis.call('HSETNX', health, 'refused_noticed', 1) == 1
  end
  redis.call('HINCRBY', record(key), 'refusals', 1)
  redis.call('HSET', record(key), 'refused_at', now)
  local is_alone = last and passed and tonumber(passed) > last
  return is_alone and redis.call('HINCRBY', record(key), 'alone', 1) >= outcome.doomed, notice
end

free_first()
local noticed = 0
local key, outcome = ARGV[1], cjson.decode(ARGV[3])
local channel, now = channel_of(key), now_ms()
local ours = redis.call('HGET', record(key), 'token') == ARGV[2]
if ours and outcome.state == 'folded' then
  fold(key, channel, outcome.rest, outcome.due, now)
elseif ours then
  local workspace = workspace_of(channel)
  let_go(key)
  redis.call('HSET', record(key), 'error', outcome.why)
  redis.call('HDEL', record(key), 'named')
  if outcome.named then -- the platform named the time: nothing may bring it forward
    redis.call('HSET', record(key), 'named', 1)
  end
  if outcome.clean then -- it is certain that it was not posted
    redis.call('HDEL', record(key), 'since')
  end
  local tries = redis.call('HINCRBY', record(key), 'tries', outcome.counts and 1 or 0)
  if outcome.counts then
    note_failure(health_of(channel), now, outcome.threshold, outcome.first, outcome.most)
    note_failure(workspace_health_of(workspace), now, outcome.workspace_threshold, outcome.first, outcome.most)
  end
  if outcome.limit == 'channel' then
    redis.call('HSET', health_of(channel), 'limited', now + outcome.after)
  elseif outcome.limit == 'workspace' then
    redis.call('HSET', workspace_health_of(workspace), 'limited', now + outcome.after)
  end
  local doomed = false
  if outcome.refused then
    local notice
    doomed, notice = note_refusal(key, channel, now, outcome)
    noticed = notice and 1 or 0
  end
  if doomed then
    local why = outcome.why .. ' — refused ' .. outcome.doomed .. ' times while other posts got through'
    set_aside(key, 'dead', now, why)
  elseif outcome.state == 'dead' or outcome.state == 'held' then
    set_aside(key, outcome.state, now, outcome.why)
  elseif tries >= outcome.tries then
    set_aside(key, 'dead', now, outcome.why)
  else
    put(key, outcome.state, now + (outcome.limit and 0 or outcome.after))
  end
end
return { next_look(platform_of(channel), now), noticed }
