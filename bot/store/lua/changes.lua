local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Returns a record as a table; nil if it can't be read: the channel's other records must still be changeable.
local function decoded(record)
  local readable, values = pcall(cjson.decode, record)
  return readable and type(values) == 'table' and values or nil
end

-- Appends to a shard's changes. Ids are `n-ms`: n counts up by one, so that a reader notices entries that were trimmed.
local function append_change(stream, now, max_length, fields)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local n = last and tonumber(string.match(last[1], '^%d+')) or 0
  redis.call('XADD', stream, 'MAXLEN', '~', max_length, string.format('%.0f-%.0f', n + 1, now), unpack(fields))
end
