-- What is known of a device. Does not write.
-- KEYS: facts, proofs; ARGV: device
-- -> epoch, head, dropped to, cursor, 1 if it is known, and the ranges that it has received beyond: after, upto, ...
local log = load_log(KEYS[1])
if not log then return {epoch_of(nil), 0, 0, 0, 0} end
local devices = load_devices(KEYS[1])
local device = devices[ARGV[1]]
if not device then return {epoch_of(log), log.head, log.dropped, highest_cursor(devices), 0} end
local answer = {epoch_of(log), log.head, log.dropped, device[1], 1}
for _, packed in ipairs(call('ZRANGEBYSCORE', KEYS[2], '(' .. text(device[1]), '+inf')) do
  local proof = cmsgpack.unpack(packed)
  if proof[3] == ARGV[1] then
    answer[#answer + 1] = proof[1]
    answer[#answer + 1] = proof[2]
  end
end
return answer
