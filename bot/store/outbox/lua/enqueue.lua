-- ARGV[1] JSON list of {key, due, since, detected, digest_threshold, papers = [[id, reasons], …]}: one message each, or where no
--      more than `digest_threshold` of its papers are new to the channel, a message for each of those; since: perhaps posted then
-- -> how many papers were taken
local now, taken, woken = now_ms(), 0, {}

local function was_sent(channel, paper)
  for ago = 0, PERIODS - 1 do
    if redis.call('HEXISTS', sent_of(channel, now, ago), paper) == 1 then
      return true
    end
  end
  return false
end

-- A message that is on its way, or was posted, takes no more papers: they become the next one, under a key that the
-- platform does not know yet.
local function place_for(key)
  local free, n = key, 1
  while
    (redis.call('HGET', record(free), 'state') or 'pending') ~= 'pending'
    or redis.call('ZSCORE', labels_of(channel_of(key)), label_of(free))
  do
    n = n + 1
    free = key .. '+' .. n
  end
  return free
end

local function owe(key, papers, offer)
  key = place_for(key)
  local channel, held = channel_of(key), cjson.decode(redis.call('HGET', record(key), 'papers') or '[]')
  for _, paper in ipairs(papers) do
    held[#held + 1] = paper
    redis.call('HSET', base .. 'open:' .. channel, paper[1], key)
  end
  redis.call('HSET', record(key), 'papers', cjson.encode(held))
  if offer.since then
    redis.call('HSET', record(key), 'since', offer.since)
  end
  if offer.detected then
    redis.call('HSETNX', record(key), 'detected', offer.detected)
  end
  put(key, offer.since and 'unknown' or 'pending', offer.due)
end

for _, offer in ipairs(cjson.decode(ARGV[1])) do
  local channel, fresh = channel_of(offer.key), {}
  for _, paper in ipairs(offer.papers) do
    local open = redis.call('HEXISTS', base .. 'open:' .. channel, paper[1]) == 1
    if not open and not was_sent(channel, paper[1]) then
      fresh[#fresh + 1] = paper
    end
  end
  if #fresh > (offer.digest_threshold or 0) then
    owe(offer.key, fresh, offer)
  else
    for _, paper in ipairs(fresh) do
      owe(channel .. '/' .. paper[1], { paper }, offer)
    end
  end
  if #fresh > 0 then
    taken = taken + #fresh
    woken[platform_of(channel)] = true
  end
end
for platform in pairs(woken) do
  wake(platform)
end
return taken
