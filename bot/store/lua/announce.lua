-- Announces as one poll the papers that the polls of several sources have held back. A repeated call finds none.
-- KEYS fence, papers stream, then each source's list of papers to announce
-- ARGV our fence, maximum number of polls that wait
-- -> 'announced', '' if there was nothing, or 'lost' if another poller has taken over
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return 'lost'
end
local seen, news = {}, {}
for i = 3, #KEYS do
  for _, paper in ipairs(redis.call('LRANGE', KEYS[i], 0, -1)) do
    if not seen[paper] then
      seen[paper] = true
      news[#news + 1] = paper
    end
  end
end
if #news == 0 then
  return ''
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'news', '[' .. table.concat(news, ',') .. ']')
redis.call('DEL', unpack(KEYS, 3))
redis.call('PUBLISH', 'pb:wake', 'papers')
return 'announced'
