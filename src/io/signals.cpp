#include "io/signals.hpp"

#include <csignal>
#include <unistd.h>

#include <cerrno>

namespace carillon::io {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGUSR2);  // stands for interrupt()
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int StopSignals::wait() {
  const sigset_t set = stop_set();
  int signal = 0;
  while (sigwait(&set, &signal) == EINTR) {
  }
  return signal == SIGUSR2 ? 0 : signal;
}

void StopSignals::interrupt() { ::kill(::getpid(), SIGUSR2); }

}  // namespace carillon::io
