-- ARGV[2] JSON list of {key, papers = [id, …]}: taken out of deliveries that nobody has in hand, before anything is
--      offered in their place
for _, one in ipairs(cjson.decode(ARGV[2])) do
  local state, since, papers = unpack(redis.call('HMGET', record(one.key), 'state', 'since', 'papers'))
  if state == 'pending' and not since then
    local channel, gone, left = channel_of(one.key), {}, {}
    for _, id in ipairs(one.papers) do
      gone[id] = true
    end
    for _, paper in ipairs(cjson.decode(papers)) do
      if gone[paper[1]] then
        redis.call('HDEL', base .. 'open:' .. channel, paper[1])
      else
        left[#left + 1] = paper
      end
    end
    if #left > 0 then
      redis.call('HSET', record(one.key), 'papers', cjson.encode(left))
    else
      forget(one.key)
      place(channel)
    end
  end
end
