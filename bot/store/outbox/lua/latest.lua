-- Finds the latest posts in a channel's records of one period.
-- KEYS the records
-- ARGV number of posts, prefix of the entries of events, number of the subscription that matched ("" for all posts)
-- -> entry and record of each post, in no particular order; some more if several were posted in the same millisecond
local records = redis.call('HGETALL', KEYS[1])
local most, event, number = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local reason = '%[' .. number .. ',%s?"' -- can't be in a text, whose quotes are escaped
local found, times, sorted = {}, {}, {}
for i = 1, #records, 2 do
  local matches = string.sub(records[i], 1, #event) ~= event and string.find(records[i + 1], reason)
  if number == '' or matches then
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
