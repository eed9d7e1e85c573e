-- Enqueues deliveries, with a channel's budget and flood control.
-- ARGV[1] JSON list of {key, due, since, detected, digest_threshold, flood_window, budget, papers = [[id, reasons], …]}.
--      Each becomes one message, unless it has a flood window: then see `post`.
--      since: the earliest time when it may have been posted already
--      budget: {most, fits, always, below, key, due}; see `within_budget`; the best papers come first
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

local FITS = 400 -- scores of matched papers that are stored for a channel with a budget

local function note_fits(channel, papers, fits)
  for _, paper in ipairs(papers) do
    local fit = fits[paper[1]]
    if fit then
      redis.call('LPUSH', fits_of(channel), string.format('%.0f %.4f', now, fit))
    end
  end
  redis.call('LTRIM', fits_of(channel), 0, FITS - 1)
  redis.call('PEXPIRE', fits_of(channel), 14 * DAY)
end

-- Returns the papers that the channel's budget allows now: as many as it has left of the last 24 hours, and those that
-- are always posted. The others are folded: they become one message later.
local function within_budget(planned, channel, papers)
  local budget = planned.budget
  if not budget or #papers == 0 then
    return papers
  end
  note_fits(channel, papers, budget.fits)
  local room, posted, folded = budget.most - in_window(budget_of(channel), DAY), {}, {}
  for _, paper in ipairs(papers) do
    if budget.always[paper[1]] or redis.call('ZSCORE', budget_of(channel), paper[1]) then
      posted[#posted + 1] = paper
    elseif room > 0 and not budget.below[paper[1]] then
      room = room - 1
      posted[#posted + 1] = paper
      note(budget_of(channel), DAY, paper[1], now)
    else
      folded[#folded + 1] = paper
    end
  end
  if #folded > 0 then
    add(budget.key, folded, { due = budget.due })
  end
  return posted
end

-- Applies flood control: a message for each paper, while at most `digest_threshold` messages leave within the window;
-- then one message for all; then they wait until the window has room, and become one message.
local function post(planned, channel, papers)
  local most, window, messages = planned.digest_threshold or 0, planned.flood_window, messages_of(channel)
  if #papers == 0 then
    return
  elseif not window then
    add(planned.key, papers, planned)
    return
  end
  local left = in_window(messages, window)
  if left + #papers <= most then
    for _, paper in ipairs(papers) do
      add(channel .. '/' .. paper[1], { paper }, planned)
      note(messages, window, paper[1], now)
    end
  elseif left <= most and #papers > 1 then
    add(planned.key, papers, planned)
    note(messages, window, label_of(planned.key), now)
  else
    local due = math.max(now, first_score(messages) + window)
    local label = string.format('later@%.0f', due)
    add(channel .. '/' .. label, papers, { due = due })
    note(messages, window, label, due)
  end
end

for _, planned in ipairs(cjson.decode(ARGV[1])) do
  local channel, fresh = channel_of(planned.key), {}
  for _, paper in ipairs(planned.papers) do
    local open = redis.call('HEXISTS', open_of(channel), paper[1]) == 1
    if not open and not was_sent(channel, paper[1]) then
      fresh[#fresh + 1] = paper
    end
  end
  post(planned, channel, within_budget(planned, channel, fresh))
  if #fresh > 0 then
    enqueued = enqueued + #fresh
    woken[platform_of(channel)] = true
  end
end
for platform in pairs(woken) do
  wake(platform)
end
return enqueued
