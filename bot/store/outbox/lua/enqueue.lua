-- Enqueues deliveries, with flood control: many new papers become one message.
-- ARGV[1] JSON list of {key, due, since, detected, digest_threshold, papers = [[id, reasons], …]}. Each becomes one
--      message; if at most `digest_threshold` of its papers are new to the channel, one message for each of those.
--      since: it may have been posted already, then at the earliest
-- -> how many papers were enqueued
local now, enqueued, woken = now_ms(), 0, {}

local function was_sent(channel, paper)
  for ago = 0, PERIODS - 1 do
    if redis.call('HEXISTS', sent_of(channel, now, ago), paper) == 1 then
      return true
    end
  end
  return false
end

-- A message that is being sent, was posted, or can't be read takes no more papers: they become the next message, under
-- a key that the platform does not know yet.
local function free_key(key)
  local free, n = key, 1
  while
    (redis.call('HGET', record(free), 'state') or 'pending') ~= 'pending'
    or (redis.call('EXISTS', record(free)) == 1 and not papers_of(free))
    or redis.call('ZSCORE', labels_of(channel_of(key)), label_of(free))
  do
    n = n + 1
    free = key .. '+' .. n
  end
  return free
end

local function add(key, papers, planned)
  key = free_key(key)
  local channel, held = channel_of(key), papers_of(key) or {}
  for _, paper in ipairs(papers) do
    held[#held + 1] = paper
    redis.call('HSET', open_of(channel), paper[1], key)
  end
  redis.call('HSET', record(key), 'papers', cjson.encode(held))
  if planned.since then
    redis.call('HSET', record(key), 'since', planned.since)
  end
  if planned.detected then
    redis.call('HSETNX', record(key), 'detected', planned.detected)
  end
  put(key, planned.since and 'unknown' or 'pending', planned.due)
end

for _, planned in ipairs(cjson.decode(ARGV[1])) do
  local channel, fresh = channel_of(planned.key), {}
  for _, paper in ipairs(planned.papers) do
    local open = redis.call('HEXISTS', open_of(channel), paper[1]) == 1
    if not open and not was_sent(channel, paper[1]) then
      fresh[#fresh + 1] = paper
    end
  end
  if #fresh > (planned.digest_threshold or 0) then
    add(planned.key, fresh, planned)
  else
    for _, paper in ipairs(fresh) do
      add(channel .. '/' .. paper[1], { paper }, planned)
    end
  end
  if #fresh > 0 then
    enqueued = enqueued + #fresh
    woken[platform_of(channel)] = true
  end
end
for platform in pairs(woken) do
  wake(platform)
end
return enqueued
