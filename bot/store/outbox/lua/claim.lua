-- Gives due deliveries to a worker.
-- ARGV platform, token of this claim, maximum number of deliveries, lease in ms, 1 if every answered write is on the
--      server's disk, number of dead workers that make a delivery a dead letter, failures in a row after which a
--      workspace gets a break
-- -> {ms until the next look or -1, when it was noticed that the server may have lost writes ('' once papers were
--     replayed), deliveries…}
free_first()
local platform, token, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local lease, worst, threshold = tonumber(ARGV[4]), tonumber(ARGV[6]), tonumber(ARGV[7])
local now = now_ms()

-- A server that syncs to its disk only now and then may lose its last writes when it restarts, or when a replica takes
-- over: deliveries that were due by then may have been posted already.
if ARGV[5] ~= '1' then
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local known = redis.call('GET', base .. 'run')
  if known ~= run then
    redis.call('SET', base .. 'run', run)
    if known then
      redis.call('SET', base .. 'doubt', now)
      redis.call('SET', base .. 'forgot', now)
    end
  end
end
local doubt = tonumber(redis.call('GET', base .. 'doubt') or '-1')

-- Workers whose lease has expired count as dead. The delivery that one of them was sending may be what killed it.
for _, key in ipairs(redis.call('ZRANGEBYSCORE', leases_of(platform), '-inf', now, 'LIMIT', 0, 100)) do
  local state, due = unpack(redis.call('HMGET', record(key), 'state', 'due'))
  let_go(key)
  if not state then
    place(channel_of(key)) -- its record is gone
  elseif state == 'claimed' then
    put(key, 'pending', tonumber(due) or now)
  elseif state == 'sending' and redis.call('HINCRBY', record(key), 'deaths', 1) >= worst then
    set_aside(key, 'dead', now, worst .. ' workers died while they sent it')
  else
    put(key, 'unknown', now)
  end
end

-- -> whether the delivery was given to this worker
local function take(key, channel)
  local state, due = unpack(redis.call('HMGET', record(key), 'state', 'due'))
  redis.call('ZREM', box_of(channel), key)
  if not state then -- its record is gone
    return false
  end
  if state == 'pending' and (tonumber(due) or now) <= doubt then
    state = 'unknown'
    redis.call('HSET', record(key), 'since', due)
  end
  redis.call('ZADD', leases_of(platform), now + lease, key)
  redis.call('HSET', record(key), 'state', state == 'pending' and 'claimed' or state, 'token', token)
  redis.call('HSET', health_of(channel), 'busy', key)
  return true
end

local claimed = redis.call('GET', base .. 'claim:' .. token)
claimed = claimed and cjson.decode(claimed) or {}
if #claimed == 0 then
  while #claimed < most do
    local workspace, turn = unpack(redis.call('ZRANGE', due_of(platform), 0, 0, 'WITHSCORES'))
    if not workspace or tonumber(turn) >= now + 1 then
      break
    end
    local channel = redis.call('ZRANGE', lane_of(workspace), 0, 0)[1]
    local key = channel and redis.call('ZRANGE', box_of(channel), 0, 0)[1]
    -- Behind every workspace that has not been served by now; the fraction keeps the order within this claim.
    local health = workspace_health_of(workspace)
    redis.call('HSET', health, 'served', now + #claimed / 1024)
    local fails, paused = unpack(redis.call('HMGET', health, 'fails', 'paused'))
    if paused or tonumber(fails or '0') >= threshold then
      redis.call('HSET', health, 'probe', now + lease) -- one delivery probes the workspace, and the others wait for it
    end
    if key and take(key, channel) then
      claimed[#claimed + 1] = key
    end
    if channel then
      place(channel)
    else
      place_workspace(workspace)
    end
  end
  if #claimed > 0 then
    redis.call('SET', base .. 'claim:' .. token, cjson.encode(claimed), 'PX', lease)
  end
end

local answer = { next_look(platform, now), redis.call('GET', base .. 'forgot') or '' }
for _, key in ipairs(claimed) do
  local found = redis.call(
    'HMGET', record(key), 'token', 'state', 'papers', 'tries', 'since', 'deaths', 'detected', 'refusals', 'alone')
  if found[1] == token then
    answer[#answer + 1] = {
      key, found[2], found[3] or '', found[4] or '0', found[5] or '', found[6] or '0', found[7] or '',
      found[8] or '0', found[9] or '0', original_of(channel_of(key)) or '' }
  end
end
return answer
