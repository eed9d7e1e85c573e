-- Announces as one poll what the polls of several sources have held back. A repeated call finds nothing.
-- KEYS fence, papers stream, then what each source's poll has to announce   ARGV our fence, polls that may wait at most
-- -> 'announced', '' if there was nothing, or 'lost' if another poller has taken over
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return 'lost'
end
local seen, news = {}, {}
for i = 3, #KEYS do
  for _, one in ipairs(redis.call('LRANGE', KEYS[i], 0, -1)) do
    if not seen[one] then
      seen[one] = true
      news[#news + 1] = one
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
