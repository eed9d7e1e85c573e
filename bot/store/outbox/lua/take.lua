-- ARGV[2] JSON list of {key, papers = [id, …], in_doubt}: papers to take out of deliveries that no worker holds, before
--      others are enqueued in their place. With in_doubt, also of dead letters and where it is unknown whether it was posted
for _, one in ipairs(cjson.decode(ARGV[2])) do
  local state, since, token = unpack(redis.call('HMGET', record(one.key), 'state', 'since', 'token'))
  local papers = papers_of(one.key)
  local takes = state == 'pending' and not since
  if one.in_doubt then
    takes = not token
  end
  if papers and takes then
    local channel, gone, left = channel_of(one.key), {}, {}
    for _, id in ipairs(one.papers) do
      gone[id] = true
    end
    for _, paper in ipairs(papers) do
      if gone[paper[1]] then
        redis.call('HDEL', open_of(channel), paper[1])
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
