-- The latest posts in a channel's records of one period.
-- KEYS the records
-- ARGV how many, with what the entries of events begin, the number of the subscription that brought them ("": all posts)
-- -> entry and record of each, in no order; some more where several were posted in the same millisecond
local records = redis.call('HGETALL', KEYS[1])
local most, event, number = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local reason = '%[' .. number .. ',%s?"' -- is in no text: a text's quotes are escaped
local found, times, sorted = {}, {}, {}
for i = 1, #records, 2 do
  local brought = string.sub(records[i], 1, #event) ~= event and string.find(records[i + 1], reason)
  if number == '' or brought then
    found[#found + 1] = i
    times[#found] = tonumber(string.match(records[i + 1], '^%d+')) or 0
    sorted[#found] = times[#found]
  end
end
table.sort(sorted)
local since = sorted[#sorted - most + 1] or 0
local answer = {}
for n, i in ipairs(found) do
  if times[n] >= since then
    answer[#answer + 1] = records[i]
    answer[#answer + 1] = records[i + 1]
  end
end
return answer
