-- KEYS: bucket. ARGV: debt the take adds in µs, window in µs, whether to charge.
-- The bucket holds the moment its debt is paid, in µs of the server's clock.
-- Answers: whether there was room, the debt afterwards, the debt that was asked for.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[2])
local paid_at = tonumber(redis.call('GET', KEYS[1]) or now)
local debt = math.max(paid_at - now, 0)
local wanted = debt + tonumber(ARGV[1])
if wanted > window then
  return {0, debt, wanted}
end
if ARGV[3] == '1' then
  debt = wanted
  redis.call('SET', KEYS[1], string.format('%.0f', now + debt), 'PX', math.max(math.ceil(debt / 1000), 1))
end
return {1, debt, wanted}
