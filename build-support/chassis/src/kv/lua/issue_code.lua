-- KEYS: code, lock, cooldown, daily. ARGV: record, ttl, cool-down, quota, a day; times in ms.
-- Answers: outcome, how long to wait in ms. The code is stored behind its count of wrong attempts.
local locked = redis.call('PTTL', KEYS[2])
if locked > 0 then
  return {'locked', locked}
end
local cooling = redis.call('PTTL', KEYS[3])
if cooling > 0 then
  return {'cooling', cooling}
end
local issued = tonumber(redis.call('GET', KEYS[4]) or 0)
local day_left = redis.call('PTTL', KEYS[4])
if day_left <= 0 then
  day_left = tonumber(ARGV[5])
end
if issued >= tonumber(ARGV[4]) then
  return {'quota', day_left}
end
redis.call('SET', KEYS[4], issued + 1, 'PX', day_left)
redis.call('SET', KEYS[1], '0 ' .. ARGV[1], 'PX', ARGV[2])
if tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[3], 1, 'PX', ARGV[3])
end
return {'issued', 0}
