-- Shared by every script of the outbox. KEYS[1] is what all keys of the shard begin with; `keys.py` names the
-- same keys. A delivery's key is `channel/…`, a channel is `platform:workspace:channel`: both say where they live.
--
--   due:<platform>     ZSET workspace -> when something may be due there       so that one workspace,
--   lane:<workspace>   ZSET channel   -> when something may be due there       or one channel,
--   box:<channel>      ZSET delivery  -> when it is due                        never stands before another
--   leases:<platform>  ZSET delivery  -> when its worker's lease is over
--   delivery:<key>     one that is not done: state, papers, due, tries, deaths, token, since, detected, error, named,
--                      counted
--   open:<channel>     HASH paper -> delivery that holds it
--   sent:<channel>:<period>  HASH paper -> when and where it was posted; a period is 30 days
--   channel:<channel>, workspace:<workspace>  HASH paused, limited, fails, broken; busy and next; served and probe
--   dead, held         ZSET delivery -> since when a person has to decide
--   open               how many deliveries wait to go out by themselves, but for those whose hour has not come
--   labels:<channel>   ZSET label of a message of several papers -> when it was posted: its key is not used again
--   run, doubt, forgot the server's run, and since when it may have forgotten its last moments
local base = KEYS[1]

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A full server refuses a script whose first write takes memory. After one that frees some, all goes through:
-- what moves a delivery towards its end must not fail, or a post would be made twice.
local function free_first()
  redis.call('ZREM', base .. 'held', '')
end

local PERIOD, PERIODS = 30 * 86400000, 4

local function sent_of(channel, now, periods_ago)
  return base .. 'sent:' .. channel .. ':' .. math.floor(now / PERIOD) - periods_ago
end

local function labels_of(channel) return base .. 'labels:' .. channel end
local function label_of(key) return string.match(key, '/(.*)$') end
local function record(key) return base .. 'delivery:' .. key end
local function channel_of(key) return string.match(key, '^[^/]+') end
local function workspace_of(channel) return string.match(channel, '^[^:]+:[^:]*') end
local function platform_of(channel) return string.match(channel, '^[^:]+') end
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

-- When a workspace's turn is: with its earliest channel, unless it waits; behind those not served since.
local function place_workspace(workspace)
  local health = redis.call('HMGET', workspace_health_of(workspace), 'paused', 'limited', 'broken', 'served', 'probe')
  local first = first_score(lane_of(workspace))
  local due = due_of(platform_of(workspace))
  if first and not health[1] then
    redis.call('ZADD', due, at_least(first, health[2], health[3], health[4], health[5]), workspace)
  else
    redis.call('ZREM', due, workspace)
  end
end

-- When a channel's turn is: with its earliest delivery, one at a time, and no faster than its rate.
local function place(channel)
  local health = redis.call('HMGET', health_of(channel), 'paused', 'busy', 'limited', 'broken', 'next')
  local workspace = workspace_of(channel)
  local first = first_score(box_of(channel))
  if first and not health[1] and not health[2] then
    redis.call('ZADD', lane_of(workspace), at_least(first, health[3], health[4], health[5]), channel)
  else
    redis.call('ZREM', lane_of(workspace), channel)
  end
  place_workspace(workspace)
end

local function is_paused(channel)
  return redis.call('HEXISTS', health_of(channel), 'paused') == 1
    or redis.call('HEXISTS', workspace_health_of(workspace_of(channel)), 'paused') == 1
end

local SOON = 600000

-- Whether a delivery counts as open: matching stops above a number of them, and must not for what is paused, nor for
-- digests whose hour is still to come.
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

-- Take a delivery out of a worker's hands.
local function let_go(key)
  local channel = channel_of(key)
  redis.call('ZREM', leases_of(platform_of(channel)), key)
  redis.call('HDEL', record(key), 'token')
  if redis.call('HGET', health_of(channel), 'busy') == key then
    redis.call('HDEL', health_of(channel), 'busy')
  end
  redis.call('HDEL', workspace_health_of(workspace_of(channel)), 'probe')
end

-- Put a delivery, new or let go, where claims find it.
local function put(key, state, due)
  local channel = channel_of(key)
  redis.call('HSET', record(key), 'state', state, 'due', due)
  redis.call('ZADD', box_of(channel), due, key)
  count(key, not is_paused(channel) and is_backlog(key, tonumber(due), now_ms()))
  place(channel)
end

-- Set a delivery aside until a person decides: `dead` or `held`.
local function set_aside(key, state, now, why)
  local channel = channel_of(key)
  redis.call('HSET', record(key), 'state', state, 'error', why)
  redis.call('ZREM', box_of(channel), key)
  redis.call('ZADD', base .. state, now, key)
  count(key, false)
  place(channel)
end

-- Forget a delivery. Its papers are free to be offered again unless they are recorded as sent.
local function forget(key)
  local channel = channel_of(key)
  for _, paper in ipairs(cjson.decode(redis.call('HGET', record(key), 'papers'))) do
    redis.call('HDEL', base .. 'open:' .. channel, paper[1])
  end
  let_go(key)
  redis.call('ZREM', box_of(channel), key)
  redis.call('ZREM', base .. 'dead', key)
  redis.call('ZREM', base .. 'held', key)
  count(key, false)
  redis.call('DEL', record(key))
end

-- One more failure in a row. From `threshold` of them on nothing is tried there for `first` ms, doubling each time up
-- to `most`; what was under way when such a rest began does not make it longer.
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

-- Milliseconds until it is worth looking at this shard again, -1 where nothing waits.
local function next_look(platform, now)
  local due, lease = first_score(due_of(platform)), first_score(leases_of(platform))
  local first = due and lease and math.min(due, lease) or due or lease
  return first and math.max(0, math.ceil(first - now)) or -1
end
