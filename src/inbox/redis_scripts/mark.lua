-- Marks entries as read.
-- KEYS: log, devices; ARGV: 1 epoch, 2 up to here, 3 when, then numbers
-- -> epoch (the given one if it is of this log), head, how many are unread
local log = load_log(KEYS[1], KEYS[2])
if not log then return {epoch_of(nil), 0, 0} end
local valid = valid_upto(KEYS[1], log, ARGV[1])
local epoch = epoch_of(log)
if valid then
  epoch = ARGV[1]
  local function mark(number) call('HSETNX', KEYS[1], 'read:' .. number, ARGV[3]) end
  for i = 4, #ARGV do
    if tonumber(ARGV[i]) <= valid and call('HEXISTS', KEYS[1], ARGV[i]) == 1 then mark(ARGV[i]) end
  end
  local upto = math.min(tonumber(ARGV[2]), valid)
  if upto > 0 then
    each_entry(KEYS[1], log, 0, chunk, function(number)
      if number > upto then return true end
      mark(text(number))
    end)
  end
end
return {epoch, log.head, count_unread(KEYS[1], log, tonumber(ARGV[3]))}
