#ifndef CLINUX_H
#define CLINUX_H

// Linux interfaces that the Glibc module doesn't carry. This header must not define _GNU_SOURCE: it clashes with
// Swift's own view of the same headers. So it shows fixed-width integers and opaque types only; whatever needs a
// GNU or kernel structure (epoll_event, mmsghdr, signalfd_siginfo, control messages) stays in the .c file.
//
// Every function that can fail returns a negative errno, read before anything else can change it.

#include <stdint.h>
#include <stddef.h>

#include "CLinuxEmulation.h"

// Readiness: epoll, a timer on CLOCK_MONOTONIC, signals and wake-ups as descriptors.

enum { CLINUX_READ = 1, CLINUX_WRITE = 2, CLINUX_FAILED = 4, CLINUX_HANGUP = 8, CLINUX_EDGE = 16 };
enum { CLINUX_READY_CAPACITY = 64 };

struct clinux_ready {
  uint64_t token;
  uint32_t flags;
};

int clinux_epoll_create(void);
int clinux_epoll_add(int epoll, int descriptor, uint32_t interest, uint64_t token);
int clinux_epoll_modify(int epoll, int descriptor, uint32_t interest, uint64_t token);
int clinux_epoll_remove(int epoll, int descriptor);
// Waits at most `milliseconds` (-1: for ever); gives the number of entries of `ready` that it filled.
int clinux_epoll_wait(int epoll, struct clinux_ready *ready, int capacity, int milliseconds);

int clinux_timer_create(void);
// Arms the timer for an absolute time in nanoseconds on CLOCK_MONOTONIC.
int clinux_timer_arm(int timer, int64_t nanoseconds);

// Blocks the signals in the calling thread and gives a descriptor that reads them.
int clinux_signals_open(const int *signals, int count);
// Whether this process ignores a signal, as nohup makes it ignore SIGHUP.
int clinux_signal_is_ignored(int signal);
// The next signal that arrived, or 0 when none is waiting, and whether a process sent it to this one, rather than the
// kernel to all at a terminal.
int clinux_signals_read(int descriptor, int *is_sent);
// Gives the signals their way again in the calling thread.
int clinux_signals_unblock(const int *signals, int count);
int clinux_ignore_broken_pipes(void);

int clinux_wake_open(void);
int clinux_wake_raise(int descriptor);
int clinux_wake_drain(int descriptor);

// Sockets.

int clinux_socket(int family, int type, int protocol);
// Takes a connection and writes its address, of at most `size` bytes.
int clinux_accept(int listener, void *address, uint32_t *size);
// What has been dropped because the receive buffer was full, since the socket was opened.
int clinux_socket_drops(int descriptor, uint32_t *drops);

// Memory for recvmmsg: `capacity` datagrams of at most `size` bytes with their senders and control messages.
struct clinux_receive_batch;
struct clinux_received {
  const uint8_t *bytes;
  uint32_t size;
  uint32_t truncated;
  const void *address;  // a sockaddr of address_size bytes
  uint32_t address_size;
  uint32_t has_time;
  uint32_t drops;
  int64_t realtime;  // CLOCK_REALTIME in nanoseconds, when has_time
};
struct clinux_receive_batch *clinux_receive_batch_create(int capacity, int size);
void clinux_receive_batch_destroy(struct clinux_receive_batch *batch);
int clinux_receive_batch_read(struct clinux_receive_batch *batch, int descriptor);
struct clinux_received clinux_receive_batch_at(const struct clinux_receive_batch *batch, int index);

// Datagrams to the peer of a connected socket, many by one call (sendmmsg).
enum { CLINUX_RUNS = 64, CLINUX_SEGMENTS = 64 };
// Bytes that lie together: one datagram, or several of `segment` bytes, the last of which may have fewer. The kernel
// cuts them apart (UDP GSO).
struct clinux_run {
  const uint8_t *bytes;
  uint32_t size;
  uint32_t segment;  // 0: one datagram
};
// Whether the kernel can cut runs apart; older ones would take a run for one datagram.
int clinux_cuts_runs(int descriptor);
// Sends up to `count` runs, at most CLINUX_RUNS; gives how many the kernel took, or why it didn't take the first.
int clinux_runs_write(int descriptor, const struct clinux_run *runs, int count);

#endif
