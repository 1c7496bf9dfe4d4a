-- KEYS: key. ARGV: revision, value (which leads with it), ttl in ms. Answers whether it was set.
-- Numbers are exact up to 2^53 here, which no revision reaches.
local stored = redis.call('GET', KEYS[1])
local revision = stored and tonumber(string.match(stored, '^(%d+)$') or string.match(stored, '^(%d+) '))
if revision and revision >= tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
