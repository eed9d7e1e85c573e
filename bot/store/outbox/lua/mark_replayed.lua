-- Records that papers were announced again after the server may have lost writes.
-- ARGV when that was noticed, as `claim` answered
if redis.call('GET', base .. 'forgot') == ARGV[1] then
  redis.call('DEL', base .. 'forgot')
end
