-- Finds the channels in which papers were posted, in a part of the shard's channels.
-- ARGV cursor (0 to begin), approximate number of channels per call, papers
-- -> the next cursor (0 at the end), then paper and channel of each post
local now = now_ms()
local part = redis.call('SSCAN', base .. 'channels', ARGV[1], 'COUNT', ARGV[2])
local answer = { part[1] }
local papers = { unpack(ARGV, 3) }
for _, channel in ipairs(part[2]) do
  for ago = 0, PERIODS - 1 do
    for n, sent in ipairs(redis.call('HMGET', sent_of(channel, now, ago), unpack(papers))) do
      if sent then
        answer[#answer + 1] = papers[n]
        answer[#answer + 1] = channel
      end
    end
  end
end
return answer
