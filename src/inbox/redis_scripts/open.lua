-- What is known of a device. Does not write.
-- KEYS: log, devices, proofs; ARGV: device
-- -> epoch, head, dropped to, cursor, 1 if it is known, and the ranges that it has received beyond: after, upto, ...
local log = load_log(KEYS[1], KEYS[2])
if not log then return {epoch_of(nil), 0, 0, 0, 0} end
local known = load_devices(KEYS[2])
local devices = known and known.devices or {}
local device = devices[ARGV[1]]
if not device then return {epoch_of(log), log.head, log.dropped, highest_cursor(devices), 0} end
local answer = {epoch_of(log), log.head, log.dropped, device[1], 1}
for _, packed in ipairs(call('ZRANGEBYSCORE', KEYS[3], '(' .. text(device[1]), '+inf')) do
  local proof = cmsgpack.unpack(packed)
  if proof[3] == ARGV[1] then
    answer[#answer + 1] = proof[1]
    answer[#answer + 1] = proof[2]
  end
end
return answer
