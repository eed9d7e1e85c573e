-- Announces the papers of the last hours again, for channels whose posts a server may have forgotten when it restarted.
-- KEYS seen, papers stream, replayed   ARGV ms to go back, minimum ms between two replays
-- -> 1, or 0 if the last replay was too recent
if redis.call('SET', KEYS[3], 1, 'NX', 'PX', ARGV[2]) then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local news = {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')) do
    news[#news + 1] = { id, '' }
  end
  if #news > 0 then
    redis.call('XADD', KEYS[2], '*', 'news', cjson.encode(news), 'again', 1)
    redis.call('PUBLISH', 'pb:wake', 'papers')
  end
  return 1
end
return 0
