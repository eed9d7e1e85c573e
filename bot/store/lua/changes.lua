local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Appends to a shard's changes. Ids are `n-ms`: n counts up by one, so that a follower sees what was trimmed.
local function append_change(stream, now, longest, fields)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local n = last and tonumber(string.match(last[1], '^%d+')) or 0
  redis.call('XADD', stream, 'MAXLEN', '~', longest, string.format('%.0f-%.0f', n + 1, now), unpack(fields))
end
