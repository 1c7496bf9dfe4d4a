-- KEYS: bucket. ARGV: debt to forgive in µs.
-- The bucket holds the moment its debt is paid, in µs of the server's clock; without debt there is none.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local paid_at = tonumber(redis.call('GET', KEYS[1]) or now)
local debt = paid_at - now - tonumber(ARGV[1])
if debt <= 0 then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.0f', now + debt), 'PX', math.max(math.ceil(debt / 1000), 1))
end
return 1
