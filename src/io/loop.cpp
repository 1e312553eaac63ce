#include "io/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace carillon::io {
namespace {

constexpr std::size_t events_per_turn = 256;
constexpr int wait_ms_max = 60'000;

epoll_event interest(Watcher& watcher, bool reads, bool writes) {
  epoll_event event{};
  event.events = (reads ? EPOLLIN | EPOLLRDHUP : 0U) | (writes ? EPOLLOUT : 0U);
  event.data.ptr = &watcher;
  return event;
}

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), now_(read_clock()) {
  check(epoll_, "epoll_create1");
  check(wake_, "eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // the mailbox
  check(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event), "epoll_ctl");
}

Loop::~Loop() {
  ::close(wake_);
  ::close(epoll_);
}

TimePoint Loop::read_clock() { return std::chrono::time_point_cast<Milliseconds>(Clock::now()); }

UnixMs Loop::unix_now() {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void Loop::watch(int fd, Watcher& watcher, bool reads, bool writes) {
  epoll_event event = interest(watcher, reads, writes);
  check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void Loop::change(int fd, Watcher& watcher, bool reads, bool writes) {
  epoll_event event = interest(watcher, reads, writes);
  check(epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event), "epoll_ctl");
}

void Loop::unwatch(int fd, Watcher& watcher) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  // It may have been reported in this turn already; it must not be called any more.
  for (epoll_event& event : ready_)
    if (event.data.ptr == &watcher) event.events = 0;
}

void Loop::post(Task task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;  // the task dies with this call, outside the lock: it may post, too
    wake = mail_.empty();
    mail_.push_back(std::move(task));
  }
  if (!wake || is_current()) return;  // the loop looks into its mailbox before it sleeps
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void Loop::stop() {
  stopping_ = true;
  post([] {});
}

void Loop::run(LoopHooks& hooks) {
  thread_ = std::this_thread::get_id();
  while (!stopping_) {
    wait(hooks);
    run_mail();
    hooks.on_turn_end(now_);
  }
  end();
  thread_ = std::thread::id();
}

// Tasks may hold what somebody waits for to be closed, such as a socket on its way to this loop.
void Loop::end() {
  std::vector<Task> left;  // destroyed after the lock is gone
  const std::lock_guard lock(mutex_);
  ended_ = true;
  left.swap(mail_);
}

void Loop::wait(LoopHooks& hooks) {
  std::array<epoll_event, events_per_turn> events;
  int timeout = 0;
  bool mail = false;
  {
    const std::lock_guard lock(mutex_);
    mail = !mail_.empty();
  }
  if (!mail) {
    // Compared before it is subtracted: a deadline may be as far away as never, or long past.
    const TimePoint deadline = std::min(hooks.next_deadline(), read_clock() + Milliseconds(wait_ms_max));
    const TimePoint now = read_clock();
    if (deadline > now) timeout = static_cast<int>((deadline - now).count());
  }
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
  if (count < 0 && errno != EINTR) check(count, "epoll_wait");
  now_ = read_clock();
  hooks.on_turn_begin(now_);
  ready_ = std::span(events).first(static_cast<std::size_t>(std::max(count, 0)));
  while (!ready_.empty()) {
    const epoll_event event = ready_.front();
    ready_ = ready_.subspan(1);
    if (event.events == 0) continue;
    if (event.data.ptr == nullptr) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto got = ::read(wake_, &ignored, sizeof ignored);
      continue;
    }
    static_cast<Watcher*>(event.data.ptr)
        ->on_io((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0, (event.events & EPOLLOUT) != 0);
  }
}

void Loop::run_mail() {
  {
    const std::lock_guard lock(mutex_);
    opened_.swap(mail_);
  }
  for (Task& task : opened_) task();
  opened_.clear();
}

}  // namespace carillon::io
