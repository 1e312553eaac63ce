-- Read before each of the other scripts.
--
-- Keys of one user, all in one slot:
--   facts    hash: epoch, past (packed: {epoch, end}, ..., oldest first), run, head, dropped, bytes, until, proofs (counted),
--            devices (packed: name -> {cursor, used at}), id:ID -> number, key:COLLAPSE_KEY -> number of the newest that is
--            live, read:NUMBER -> when, ending:NUMBER -> "KIND WHEN"
--   entries  sorted set: "NUMBER:RECORD" by number; what is live
--   expiry   sorted set: number by time of expiry; what is live
--   unread   sorted set: number by time of expiry; what is live and not read
--   known    sorted set: id by time of expiry; what is traced, live or not
--   proofs   sorted set: packed {after, upto, device, node, socket, at, acknowledged, order} by upto
--
-- A record is "ID SENT_AT EXPIRES_AT EVENT_BYTES COLLAPSE_KEY_BYTES\n" and then the event, the collapse key and the data
-- (src/inbox/redis_record.hpp).
--
-- Epochs: a Redis that has restarted, or another one that has taken over, may have lost what was written last. The first
-- append in another process than that of the append before begins a new epoch, and notes where the last one ends: of an
-- earlier epoch only numbers up to its end are still what they were. An epoch that is not known was lost itself.

local past_max = 16

local function load_log()
  local v = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'head', 'dropped', 'bytes', 'until')
  if not v[1] then return nil end
  return {epoch = v[1], run = v[2], head = tonumber(v[3]), dropped = tonumber(v[4]), bytes = tonumber(v[5]),
          kept = tonumber(v[6])}
end

local function text(number) return string.format('%.0f', number) end

local function epoch_of(log)
  if not log then return '0' end
  return log.epoch
end

local function load_past()
  local packed = redis.call('HGET', KEYS[1], 'past')
  if not packed then return {} end
  return cmsgpack.unpack(packed)
end

-- Up to which number the epoch says the same as the log; nil: it is of another log.
local function valid_upto(log, epoch)
  if not log then return nil end
  if epoch == log.epoch then return log.head end
  local upto = log.head
  local past = load_past()
  for i = #past, 1, -1 do
    if past[i][2] < upto then upto = past[i][2] end
    if past[i][1] == epoch then return upto end
  end
  return nil
end

local function load_devices()
  local packed = redis.call('HGET', KEYS[1], 'devices')
  if not packed then return {} end
  return cmsgpack.unpack(packed)
end

local function highest_cursor(devices)
  local highest = 0
  for _, device in pairs(devices) do
    if device[1] > highest then highest = device[1] end
  end
  return highest
end
