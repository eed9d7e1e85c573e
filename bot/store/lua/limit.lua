-- Counts an attempt against several limits at once: all of them, or none if one is used up (GCRA).
-- KEYS one for each limit (text "time the limit is free again, in ms:last attempt")
-- ARGV attempt, then for each limit: count, ms   -> {0, 0}, or {number of the first limit that is used up, ms to wait}
-- A repeated call for the same attempt gets the same answer.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local following = {}
for i, key in ipairs(KEYS) do
  local count, per = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local free, last = string.match(redis.call('GET', key) or '0:', '^(%d+):(.*)$')
  if last == ARGV[1] then
    return { 0, 0 }
  end
  local after = math.max(now, tonumber(free)) + math.ceil(per / count)
  if after - now > per then
    return { i, after - now - per }
  end
  following[i] = after
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f:%s', following[i], ARGV[1]), 'PX', following[i] - now)
end
return { 0, 0 }
