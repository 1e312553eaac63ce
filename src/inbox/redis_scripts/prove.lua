-- Notes what a device has received, and moves its cursor.
-- KEYS: log, devices, proofs
-- ARGV: 1 epoch, 2 after, 3 upto, 4 device, 5 node, 6 socket, 7 when, 8 1 if acknowledged, 9 devices at most, 10 how long a trace is
--       kept, 11 where the device begins if it is not known, 12 how long devices are kept beyond the log
local log = load_log(KEYS[1], KEYS[2])
local valid = valid_upto(KEYS[1], log, ARGV[1])
local after, upto, name, at = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[7])
if not valid then return 0 end
upto = math.min(upto, valid)
if after > upto then return 0 end

local known = load_devices(KEYS[2]) or {proofs = 0, devices = {}}
local devices, proofs = known.devices, known.proofs
local device = devices[name]
if not device then
  local count, silent = 0, nil
  for other, state in pairs(devices) do
    count = count + 1
    if not silent or state[2] < devices[silent][2] or (state[2] == devices[silent][2] and other < silent) then silent = other end
  end
  if count >= tonumber(ARGV[9]) then devices[silent] = nil end
  device = {tonumber(ARGV[11]), 0}
  devices[name] = device
end
device[2] = math.max(device[2], at)

-- The cursor goes as far as what was received touches.
local ranges, repeated = {{after, upto}}, false
for _, packed in ipairs(call('ZRANGEBYSCORE', KEYS[3], text(math.min(device[1], upto)), '+inf')) do
  local proof = cmsgpack.unpack(packed)
  if proof[3] == name then
    ranges[#ranges + 1] = {proof[1], proof[2]}
    if proof[1] == after and proof[2] == upto then repeated = true end
  end
end
table.sort(ranges, function(a, b) return a[1] < b[1] end)
for _, range in ipairs(ranges) do
  if range[1] <= device[1] and range[2] > device[1] then device[1] = range[2] end
end

local life = math.max(log.kept - at, 0) + tonumber(ARGV[10])
if after < upto and not repeated then
  proofs = proofs + 1
  call('ZADD', KEYS[3], text(upto), cmsgpack.pack({after, upto, name, ARGV[5], ARGV[6], at, tonumber(ARGV[8]), proofs}))
  call('PEXPIRE', KEYS[3], text(life + 1000))
end
local past = log.past or load_past(KEYS[1])
call('SET', KEYS[2], cmsgpack.pack({log.epoch, log.head, log.dropped, past, proofs, devices}), 'PX', text(life + tonumber(ARGV[12])))
return 1
