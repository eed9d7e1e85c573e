-- Shared by all scripts of the outbox. KEYS[1] is the prefix of the shard's keys; `keys.py` names the same keys.
-- A delivery's key is `channel/label`, a channel is `platform:workspace:channel`: all other keys derive from these.
--
--   due:<platform>     ZSET workspace -> when something may be due there       in three levels, so that one workspace
--   lane:<workspace>   ZSET channel   -> when something may be due there       or one channel never delays another
--   box:<channel>      ZSET delivery  -> when it is due
--   leases:<platform>  ZSET delivery  -> when its worker's lease expires
--   delivery:<key>     HASH of a delivery that is not done: state, papers, due, tries, deaths, token, since, detected,
--                      error, named, counted, room; refusals, refused_at (the last one), alone
--   open:<channel>     HASH paper -> the delivery that holds it
--   sent:<channel>:<period>  HASH paper -> when and where it was posted; a period is 30 days
--   channel:<channel>, workspace:<workspace>  HASH of health: limited, fails, broken; paused, paused_at, probe_at,
--                      probe_gap; notified, notified_why, notifier, notifying; busy, next, served, probe;
--                      passed (when a post got through last), refused (why posts are), refused_noticed
--   paused             ZSET `channel <channel>` or `workspace <workspace>` -> since when it is paused
--   refused            ZSET channel -> since when all its posts are refused without a documented reason
--   dead, held         ZSET delivery -> since when it waits for the operator's decision
--   open               number of deliveries that are due or late, without those of paused channels
--   labels:<channel>   ZSET label of a message of several papers -> when it was posted: its key is not used again
--   budget:<channel>   ZSET paper (`digest paper` if a digest names it) -> when the budget allowed it, for 24 hours
--   fits:<channel>     LIST `when fit` of the latest matched papers; both only if the channel has a budget
--   copies:<channel>   HASH number -> JSON of a channel that gets a copy of each post, in the same shard
--   copy_of:<channel>  the channel whose posts it copies
--   messages:<channel> ZSET message that counts for the digest threshold -> when it is due
--   run, doubt, forgot the server's run id; when it last may have lost writes; the same, until papers are replayed
local base = KEYS[1]

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A full server refuses a script whose first write needs memory. If the first write frees some, the whole script goes
-- through. A script that moves a delivery towards its end must not fail, or a post would be made twice.
local function free_first()
  redis.call('ZREM', base .. 'held', '')
end

local PERIOD, PERIODS = 30 * 86400000, 4
local FIRST_PROBE, LONGEST_PROBE = 3600000, 86400000 -- ms until a paused channel is probed; doubles up to a day
local SOON = 600000 -- ms: a delivery due within this time counts as open
local NOTIFIED_AGAIN = 86400000 -- minimum ms until people are notified of another problem of the same channel

local function sent_of(channel, now, periods_ago)
  return base .. 'sent:' .. channel .. ':' .. math.floor(now / PERIOD) - periods_ago
end

local function budget_of(channel) return base .. 'budget:' .. channel end
local function fits_of(channel) return base .. 'fits:' .. channel end
local function messages_of(channel) return base .. 'messages:' .. channel end
local function labels_of(channel) return base .. 'labels:' .. channel end
local function posting_of(workspace) return base .. 'posting:' .. workspace end
local function copies_of(channel) return base .. 'copies:' .. channel end
local function original_of(channel) return redis.call('GET', base .. 'copy_of:' .. channel) end
local function label_of(key) return string.match(key, '/(.*)$') end
local function record(key) return base .. 'delivery:' .. key end
local function channel_of(key) return string.match(key, '^[^/]+') end
local function workspace_of(channel) return string.match(channel, '^[^:]+:[^:]*') end
local function platform_of(channel) return string.match(channel, '^[^:]+') end
local function open_of(channel) return base .. 'open:' .. channel end
local function box_of(channel) return base .. 'box:' .. channel end
local function lane_of(workspace) return base .. 'lane:' .. workspace end
local function due_of(platform) return base .. 'due:' .. platform end
local function leases_of(platform) return base .. 'leases:' .. platform end
local function health_of(channel) return base .. 'channel:' .. channel end
local function workspace_health_of(workspace) return base .. 'workspace:' .. workspace end

local function first_score(zset)
  return tonumber(redis.call('ZRANGE', zset, 0, 0, 'WITHSCORES')[2])
end

local function at_least(time, ...)
  for i = 1, select('#', ...) do
    time = math.max(time, tonumber((select(i, ...))) or 0)
  end
  return time
end

-- Returns the papers of a delivery as [[id, reasons], …]; nil if its record can't be read.
local function papers_of(key)
  local text = redis.call('HGET', record(key), 'papers')
  local readable, papers = pcall(cjson.decode, text or '')
  if readable and type(papers) == 'table' then
    return papers
  end
end

-- Returns when a paused channel or workspace is probed next. One that an older version paused gets a time now.
local function probe_time(health, name)
  local at = redis.call('HGET', health, 'probe_at')
  if not at then
    local now = now_ms()
    at = now + FIRST_PROBE
    redis.call('HSET', health, 'probe_at', at, 'probe_gap', FIRST_PROBE)
    redis.call('ZADD', base .. 'paused', redis.call('HGET', health, 'paused_at') or now, name)
  end
  return at
end

-- Schedules a workspace's turn: when its earliest channel has one, or later if the workspace has to wait. A workspace
-- that was just served goes behind all that are due.
local function place_workspace(workspace)
  local key = workspace_health_of(workspace)
  local health = redis.call('HMGET', key, 'paused', 'limited', 'broken', 'served', 'probe')
  local first = first_score(lane_of(workspace))
  local due = due_of(platform_of(workspace))
  if first then
    local paused = health[1] and probe_time(key, 'workspace ' .. workspace) or 0
    redis.call('ZADD', due, at_least(first, paused, health[2], health[3], health[4], health[5]), workspace)
  else
    redis.call('ZREM', due, workspace)
  end
end

-- Schedules a channel's turn: when its earliest delivery is due, one delivery at a time, and no faster than its rate. A
-- paused channel's turn is its next probe.
local function place(channel)
  local key = health_of(channel)
  local health = redis.call('HMGET', key, 'paused', 'busy', 'limited', 'broken', 'next')
  local workspace = workspace_of(channel)
  local first = first_score(box_of(channel))
  if first and not health[2] then
    local paused = health[1] and probe_time(key, 'channel ' .. channel) or 0
    redis.call('ZADD', lane_of(workspace), at_least(first, paused, health[3], health[4], health[5]), channel)
  else
    redis.call('ZREM', lane_of(workspace), channel)
  end
  place_workspace(workspace)
end

local function is_paused(channel)
  return redis.call('HEXISTS', health_of(channel), 'paused') == 1
    or redis.call('HEXISTS', workspace_health_of(workspace_of(channel)), 'paused') == 1
end

-- Whether a delivery counts as open. Matching stops above a number of open deliveries; it must not stop because of
-- paused channels, nor because of digests whose hour has not come.
local function is_backlog(key, due, now)
  return due <= now + SOON or redis.call('HEXISTS', record(key), 'error') == 1
end

local function count(key, counts)
  local had = redis.call('HEXISTS', record(key), 'counted') == 1
  if counts and not had then
    redis.call('HSET', record(key), 'counted', 1)
    redis.call('INCR', base .. 'open')
  elseif had and not counts then
    redis.call('HDEL', record(key), 'counted')
    redis.call('DECR', base .. 'open')
  end
end

-- Counts a channel's deliveries again, after it was paused or resumed.
local function count_all(channel, now)
  local counts = not is_paused(channel)
  local box = redis.call('ZRANGE', box_of(channel), 0, -1, 'WITHSCORES')
  for i = 1, #box, 2 do
    count(box[i], counts and is_backlog(box[i], tonumber(box[i + 1]), now))
  end
end

-- Returns the channels of a workspace that have deliveries in this shard, also those whose delivery a worker holds.
local function channels_of(workspace)
  local channels = redis.call('ZRANGE', lane_of(workspace), 0, -1)
  for _, key in ipairs(redis.call('ZRANGE', leases_of(platform_of(workspace)), 0, -1)) do
    if workspace_of(key) == workspace then -- its channel is busy, and in no lane
      channels[#channels + 1] = channel_of(key)
    end
  end
  return channels
end

-- Ends a pause: the deliveries of these channels count again.
local function unpause(health, name, channels, now)
  redis.call('HDEL', health, 'paused', 'paused_at', 'probe_at', 'probe_gap', 'fails', 'broken')
  redis.call('ZREM', base .. 'paused', name)
  for _, channel in ipairs(channels) do
    count_all(channel, now)
  end
end

-- Forgets the problem that people were notified of, after a post went through: a later problem is a new one.
-- -> whether there was one
local function forget_problem(health)
  return redis.call('HDEL', health, 'notified', 'notified_why', 'notifier', 'notifying') > 0
end

-- Takes a delivery back from its worker.
local function let_go(key)
  local channel = channel_of(key)
  redis.call('ZREM', leases_of(platform_of(channel)), key)
  redis.call('HDEL', record(key), 'token')
  if redis.call('HGET', health_of(channel), 'busy') == key then
    redis.call('HDEL', health_of(channel), 'busy')
  end
  redis.call('HDEL', workspace_health_of(workspace_of(channel)), 'probe')
end

-- Puts a delivery, new or taken back, where claims find it.
local function put(key, state, due)
  local channel = channel_of(key)
  redis.call('HSET', record(key), 'state', state, 'due', due)
  redis.call('ZADD', box_of(channel), due, key)
  count(key, not is_paused(channel) and is_backlog(key, tonumber(due), now_ms()))
  place(channel)
end

-- Makes a delivery a dead letter until the operator decides: `dead` or `held`.
local function set_aside(key, state, now, why)
  local channel = channel_of(key)
  redis.call('HSET', record(key), 'state', state, 'error', why)
  redis.call('ZREM', box_of(channel), key)
  redis.call('ZADD', base .. state, now, key)
  count(key, false)
  place(channel)
end

-- Removes a delivery. Its papers can be enqueued again unless they are recorded as sent.
local function forget(key)
  local channel, papers = channel_of(key), papers_of(key)
  if papers then
    for _, paper in ipairs(papers) do
      redis.call('HDEL', open_of(channel), paper[1])
    end
  else -- its record can't be read: find its papers in the index
    local open = redis.call('HGETALL', open_of(channel))
    for i = 1, #open, 2 do
      if open[i + 1] == key then
        redis.call('HDEL', open_of(channel), open[i])
      end
    end
  end
  let_go(key)
  redis.call('ZREM', box_of(channel), key)
  redis.call('ZREM', base .. 'dead', key)
  redis.call('ZREM', base .. 'held', key)
  count(key, false)
  redis.call('DEL', record(key))
end

-- Counts one more failure in a row. From `threshold` failures on, nothing is tried there for `first` ms, doubling up to
-- `most`. A post that was in flight when such a break began does not extend it.
local function note_failure(health, now, threshold, first, most)
  if tonumber(redis.call('HGET', health, 'broken') or '0') > now then
    return
  end
  local fails = redis.call('HINCRBY', health, 'fails', 1)
  if fails >= threshold then
    redis.call('HSET', health, 'broken', now + math.min(most, first * 2 ^ (fails - threshold)))
  end
end

local function wake(platform)
  redis.call('PUBLISH', 'pb:wake', 'due ' .. platform .. ' ' .. string.match(base, '{s(%d+)}'))
end

-- Returns the ms until this shard should be looked at again, -1 if nothing waits.
local function next_look(platform, now)
  local due, lease = first_score(due_of(platform)), first_score(leases_of(platform))
  local first = due and lease and math.min(due, lease) or due or lease
  return first and math.max(0, math.ceil(first - now)) or -1
end
