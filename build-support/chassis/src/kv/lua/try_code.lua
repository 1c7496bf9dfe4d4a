-- KEYS: code, lock. ARGV: hash, attempts allowed, lock in ms.
-- Answers: outcome, and the rest of the record or how long it is locked in ms.
local locked = redis.call('PTTL', KEYS[2])
if locked > 0 then
  return {'locked', tostring(locked)}
end
local stored = redis.call('GET', KEYS[1])
if not stored then
  return {'missing', ''}
end
local attempts, record = string.match(stored, '^(%d+) (.*)$')
local hash, rest = string.match(record, '^(%S+) ?(.*)$')
if hash == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return {'matched', rest}
end
attempts = attempts + 1
if attempts >= tonumber(ARGV[2]) then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[2], 1, 'PX', ARGV[3])
  return {'locked', ARGV[3]}
end
redis.call('SET', KEYS[1], string.format('%d ', attempts) .. record, 'KEEPTTL')
return {'wrong', ''}
