-- Takes papers out of deliveries that no worker holds, before others are enqueued in their place.
-- ARGV[2] JSON list of {key, papers = [id, …], in_doubt}; with in_doubt, also out of dead letters and of deliveries
--      that may have been posted
for _, take in ipairs(cjson.decode(ARGV[2])) do
  local state, since, token = unpack(redis.call('HMGET', record(take.key), 'state', 'since', 'token'))
  local papers = papers_of(take.key)
  local takes = state == 'pending' and not since
  if take.in_doubt then
    takes = not token
  end
  if papers and takes then
    local channel, taken, left = channel_of(take.key), {}, {}
    for _, id in ipairs(take.papers) do
      taken[id] = true
    end
    for _, paper in ipairs(papers) do
      if taken[paper[1]] then
        redis.call('HDEL', open_of(channel), paper[1])
      else
        left[#left + 1] = paper
      end
    end
    if #left > 0 then
      redis.call('HSET', record(take.key), 'papers', cjson.encode(left))
    else
      forget(take.key)
      place(channel)
    end
  end
end
