-- Returns the key for more papers. A message that is being sent, was posted, or can't be read takes no more: they
-- become the next message, under a key that the platform doesn't know yet.
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

-- Adds papers to a waiting message, or to a new one. -> the key of the delivery that has the papers now
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
  return key
end
