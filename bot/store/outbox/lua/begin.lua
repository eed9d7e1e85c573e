-- Records that the platform is about to be called.
-- ARGV key, token, lease in ms, minimum ms until the next post in the channel
-- -> {1, the channel's settings, its taste, how many papers its budget allows or ''} if the worker may call the
--     platform now, {0} if another worker has the delivery, {2, the same} if the budget allows none of it: fold it

local EARLY = 2 * 3600000 -- ms: when clocks change, a digest can come this much less than a day after the last one

local function is_exception(paper, always)
  for _, reason in ipairs(paper[2] or {}) do
    for _, number in ipairs(always) do
      if reason[1] == number then
        return true
      end
    end
  end
  return false
end

-- Returns the channel's budget, and the subscriptions whose papers don't count; nil without a budget.
local function budget_in(settings)
  local readable, values = pcall(cjson.decode, settings or '{}')
  local most = readable and type(values) == 'table' and tonumber(values.most) or 0
  if most > 0 and most % 1 == 0 then
    return most, type(values.always) == 'table' and values.always or {}
  end
end

-- Returns how many papers of a message the budget allows, and whether the message must be folded. Papers got a place in
-- the budget when they were enqueued, or get one now; it counts for a day from the post, not from the plan, so that an
-- outage doesn't bunch the posts of several days. A digest is posted even if it can only count its papers.
local function apply_budget(key, settings, now)
  local most, always = budget_in(settings)
  local label, papers, channel = label_of(key), papers_of(key), channel_of(key)
  if not most or not papers or string.match(label, '^rest@') or string.match(label, '^life@') then
    return nil, false
  end
  local is_digest, places = string.match(label, '^digest@') ~= nil, budget_of(channel)
  local prefix, counted = is_digest and 'digest ' or '', {}
  for _, paper in ipairs(papers) do
    redis.call('ZREM', places, paper[1], 'digest ' .. paper[1])
    if not is_exception(paper, always) then
      counted[#counted + 1] = prefix .. paper[1]
    end
  end
  local room = most - in_window(places, DAY)
  if is_digest then
    for _, place in ipairs(redis.call('ZRANGEBYSCORE', places, '-inf', now - DAY + EARLY)) do
      room = room + (string.match(place, '^digest ') and 1 or 0)
    end
  end
  room = math.max(0, room)
  for nth = 1, math.min(room, #counted) do
    note(places, DAY, counted[nth], now)
  end
  return room, room == 0 and #counted == #papers and not is_digest
end

free_first()
local key = ARGV[1]
local token, since = unpack(redis.call('HMGET', record(key), 'token', 'since'))
if token ~= ARGV[2] then
  return { 0 }
end
local now, gap = now_ms(), tonumber(ARGV[4])
local health, original = health_of(channel_of(key)), original_of(channel_of(key))
local planned = redis.call('HGET', health, 'next')
local settings, taste = unpack(redis.call('HMGET', original and health_of(original) or health, 'settings', 'taste'))
local room, folds
if original then -- a copy shows what the post showed
  room, folds = redis.call('HGET', record(key), 'room'), false
else
  room, folds = apply_budget(key, settings, now)
end
local rules = { folds and 2 or 1, settings or '', taste or '', room or '' }
if folds then
  return rules
end
redis.call('HSET', record(key), 'state', 'sending', 'since', since or now)
if room then
  redis.call('HSET', record(key), 'room', room)
end
redis.call('ZADD', leases_of(platform_of(key)), now + ARGV[3], key)
-- A post that is a little late doesn't delay all later ones: the rate is right on average.
redis.call('HSET', health, 'next', math.max(tonumber(planned or '0'), now - gap / 10) + gap)
return rules
