// Notifications as clients and the HTTP API see them.
//
//   event      EVENT(data, meta); meta = {"id","position","sent_at"}
//   gap        inbox:gap({"reason":"limit","from":POSITION,"to":POSITION} or {"reason":"epoch","epoch":EPOCH})
//   read       inbox:read({"positions":[POSITION...],"up_to":POSITION or null,"unread":N})
//   page       {"items":[{"id","event","data","position","sent_at","read"}...],"next":POSITION or null}, and where they apply
//              "epoch_changed":true, "gap":{"from":POSITION,"to":POSITION}
//   trace      {"id","event","sent_at","expires_at","recipients_total","recipients":[{"user","position","state","steps":[
//              {"step","at", and as known "device","node","socket"}...]}...]}
//   times      RFC 3339 in UTC with milliseconds
#pragma once

#include <cstddef>
#include <string>

#include "inbox/recipient_port.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

std::string to_rfc3339(UnixMs time);

// JSON texts; of events the arguments without the brackets.
std::string event_arguments(const Notification& notification, const Position& position);
std::string gap_arguments(const Gap& gap);
std::string read_arguments(const ReadEvent& event);
// `after`: where the page was asked to begin, if anywhere; `extra`: more members, each behind a comma.
std::string page_json(const Page& page, std::uint64_t after, bool epoch_changed, const std::string& extra = {});
std::string trace_json(const Trace& trace);

}  // namespace carillon::inbox
