// SIGTERM, SIGINT and SIGHUP as a thing to wait for.
#pragma once

namespace carillon::io {

// Blocks the three signals in this thread and those it starts: construct it before any other thread. (Writing to a
// closed connection never signals: every write uses MSG_NOSIGNAL.)
class ProcessSignals {
 public:
  ProcessSignals();
  ~ProcessSignals();
  ProcessSignals(const ProcessSignals&) = delete;
  ProcessSignals& operator=(const ProcessSignals&) = delete;

  // Waits for one of them, or for interrupt(). Gives the signal's number, 0 after interrupt().
  int wait();
  // Makes wait() return. Any thread.
  void interrupt();

 private:
  int signals_ = -1;  // signalfd
  int wake_ = -1;     // eventfd
};

}  // namespace carillon::io
