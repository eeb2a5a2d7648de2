#define _GNU_SOURCE
#include "CLinux.h"

#include <assert.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static_assert(sizeof(time_t) == 8, "times are handed over as 64-bit nanoseconds");
static_assert(sizeof(((struct epoll_event *)0)->data) == 8, "a token is 64 bits");
static_assert(sizeof(struct sockaddr_storage) >= sizeof(struct sockaddr_un), "any address fits its slot");
static_assert(sizeof(struct clinux_received) == 48, "Swift sees what C wrote");

static int checked(int result) { return result < 0 ? -errno : result; }

// Readiness

int clinux_epoll_create(void) { return checked(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int descriptor, uint32_t interest, uint64_t token) {
  struct epoll_event event = {.events = 0, .data.u64 = token};
  if (interest & CLINUX_READ) event.events |= EPOLLIN;
  if (interest & CLINUX_WRITE) event.events |= EPOLLOUT;
  if (interest & CLINUX_EDGE) event.events |= EPOLLET;
  return checked(epoll_ctl(epoll, operation, descriptor, &event));
}

int clinux_epoll_add(int epoll, int descriptor, uint32_t interest, uint64_t token) {
  return control(epoll, EPOLL_CTL_ADD, descriptor, interest, token);
}

int clinux_epoll_modify(int epoll, int descriptor, uint32_t interest, uint64_t token) {
  return control(epoll, EPOLL_CTL_MOD, descriptor, interest, token);
}

int clinux_epoll_remove(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

int clinux_epoll_wait(int epoll, struct clinux_ready *ready, int capacity, int milliseconds) {
  struct epoll_event events[CLINUX_READY_CAPACITY];
  if (capacity > CLINUX_READY_CAPACITY) capacity = CLINUX_READY_CAPACITY;
  int count = epoll_wait(epoll, events, capacity, milliseconds);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) {
    uint32_t flags = 0;
    if (events[i].events & EPOLLIN) flags |= CLINUX_READ;
    if (events[i].events & EPOLLOUT) flags |= CLINUX_WRITE;
    if (events[i].events & EPOLLERR) flags |= CLINUX_FAILED;
    if (events[i].events & EPOLLHUP) flags |= CLINUX_HANGUP;
    ready[i] = (struct clinux_ready){.token = events[i].data.u64, .flags = flags};
  }
  return count;
}

int clinux_timer_create(void) { return checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }

int clinux_timer_arm(int timer, int64_t nanoseconds) {
  // A value of zero would disarm the timer; the past fires at once, which is what zero means here.
  if (nanoseconds < 1) nanoseconds = 1;
  struct itimerspec when = {
      .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000},
  };
  return checked(timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL));
}

static void make_set(sigset_t *set, const int *signals, int count) {
  sigemptyset(set);
  for (int i = 0; i < count; i++) sigaddset(set, signals[i]);
}

int clinux_signals_open(const int *signals, int count) {
  sigset_t set;
  make_set(&set, signals, count);
  int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (error != 0) return -error;
  return checked(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int clinux_signal_is_ignored(int signal) {
  struct sigaction action;
  return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int clinux_signals_read(int descriptor, int *is_sent) {
  struct signalfd_siginfo info;
  for (;;) {
    ssize_t count = read(descriptor, &info, sizeof info);
    if (count == (ssize_t)sizeof info) {
      *is_sent = info.ssi_code <= 0;
      return (int)info.ssi_signo;
    }
    if (count >= 0 || errno == EAGAIN) return 0;
    if (errno != EINTR) return -errno;
  }
}

int clinux_signals_unblock(const int *signals, int count) {
  sigset_t set;
  make_set(&set, signals, count);
  return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int clinux_ignore_broken_pipes(void) { return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0; }

int clinux_wake_open(void) { return checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int clinux_wake_raise(int descriptor) {
  // EAGAIN means that the counter is full: the wake-up is there already.
  return eventfd_write(descriptor, 1) < 0 && errno != EAGAIN ? -errno : 0;
}

int clinux_wake_drain(int descriptor) {
  eventfd_t count;
  return eventfd_read(descriptor, &count) < 0 && errno != EAGAIN ? -errno : 0;
}

// Sockets

int clinux_socket(int family, int type, int protocol) {
  return checked(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

int clinux_accept(int listener, void *address, uint32_t *size) {
  for (;;) {
    int descriptor = accept4(listener, address, size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor >= 0) return descriptor;
    if (errno != EINTR) return -errno;
  }
}

int clinux_socket_drops(int descriptor, uint32_t *drops) {
  uint32_t values[SK_MEMINFO_VARS] = {0};
  socklen_t size = sizeof values;
  if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, values, &size) < 0) return -errno;
  *drops = values[SK_MEMINFO_DROPS];
  return 0;
}

// Batches: the bytes are mapped, so a slot costs physical memory only as far as a datagram has ever filled it.

enum { CONTROL_SIZE = 128 };

static uint8_t *map_bytes(size_t size) {
  void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return bytes == MAP_FAILED ? NULL : bytes;
}

struct receive_slot {
  struct iovec part;
  struct sockaddr_storage address;
  _Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
};

struct clinux_receive_batch {
  int capacity, size;
  uint8_t *bytes;
  struct mmsghdr *messages;
  struct receive_slot *slots;
};

struct clinux_receive_batch *clinux_receive_batch_create(int capacity, int size) {
  struct clinux_receive_batch *batch = calloc(1, sizeof *batch);
  if (!batch) return NULL;
  batch->capacity = capacity;
  batch->size = size;
  batch->bytes = map_bytes((size_t)capacity * (size_t)size);
  batch->messages = calloc((size_t)capacity, sizeof *batch->messages);
  batch->slots = calloc((size_t)capacity, sizeof *batch->slots);
  if (!batch->bytes || !batch->messages || !batch->slots) {
    clinux_receive_batch_destroy(batch);
    return NULL;
  }
  for (int i = 0; i < capacity; i++) {
    batch->slots[i].part = (struct iovec){batch->bytes + (size_t)i * (size_t)size, (size_t)size};
    struct msghdr *header = &batch->messages[i].msg_hdr;
    header->msg_iov = &batch->slots[i].part;
    header->msg_iovlen = 1;
    header->msg_name = &batch->slots[i].address;
    header->msg_control = batch->slots[i].control;
  }
  return batch;
}

void clinux_receive_batch_destroy(struct clinux_receive_batch *batch) {
  if (batch->bytes) munmap(batch->bytes, (size_t)batch->capacity * (size_t)batch->size);
  free(batch->messages);
  free(batch->slots);
  free(batch);
}

int clinux_receive_batch_read(struct clinux_receive_batch *batch, int descriptor) {
  // The kernel writes what it used into these, so they are set anew each time.
  for (int i = 0; i < batch->capacity; i++) {
    struct msghdr *header = &batch->messages[i].msg_hdr;
    header->msg_namelen = sizeof batch->slots[i].address;
    header->msg_controllen = CONTROL_SIZE;
    header->msg_flags = 0;
  }
  for (;;) {
    int count = recvmmsg(descriptor, batch->messages, (unsigned)batch->capacity, MSG_DONTWAIT, NULL);
    if (count >= 0) return count;
    if (errno != EINTR) return -errno;
  }
}

struct clinux_received clinux_receive_batch_at(const struct clinux_receive_batch *batch, int index) {
  const struct mmsghdr *message = &batch->messages[index];
  struct msghdr header = message->msg_hdr;
  struct clinux_received received = {
      .bytes = batch->slots[index].part.iov_base,
      .size = message->msg_len,
      .truncated = (header.msg_flags & MSG_TRUNC) != 0,
      .address = header.msg_name,
      .address_size = header.msg_namelen,
  };
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SO_TIMESTAMPNS && part->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
      struct timespec time;
      memcpy(&time, CMSG_DATA(part), sizeof time);
      received.realtime = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
      received.has_time = 1;
    } else if (part->cmsg_type == SO_RXQ_OVFL && part->cmsg_len >= CMSG_LEN(sizeof(uint32_t))) {
      memcpy(&received.drops, CMSG_DATA(part), sizeof received.drops);
    }
  }
  return received;
}
