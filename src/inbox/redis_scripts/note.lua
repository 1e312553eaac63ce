-- Notes who is to get a notification.
-- KEYS: the group of summaries; ARGV: the summary, how long it lives
note_summaries(KEYS[1], tonumber(ARGV[2]), ARGV[1])
return 1
