#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static void set_room(int descriptor, int force, int option, int bytes) {
  if (setsockopt(descriptor, SOL_SOCKET, force, &bytes, sizeof bytes) < 0)
    setsockopt(descriptor, SOL_SOCKET, option, &bytes, sizeof bytes);
}

int clinux_packet_socket(int index) {
  // Without a protocol it takes nothing until it is bound, so that nothing of other interfaces slips in.
  int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  int on = 1;
  set_room(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, 32 << 20);
  set_room(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, 8 << 20);
  setsockopt(descriptor, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
  if (setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
      setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ||
      bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
    int error = errno;
    close(descriptor);
    return -error;
  }
  return descriptor;
}

int clinux_packet_drops(int descriptor, uint32_t *drops) {
  struct tpacket_stats statistics = {0};
  socklen_t size = sizeof statistics;
  if (getsockopt(descriptor, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) < 0) return -errno;
  *drops = statistics.tp_drops;
  return 0;
}

union control {
  struct cmsghdr header;
  uint8_t bytes[64];
};

int clinux_frames_read(int descriptor, struct clinux_frame *frames, int count) {
  struct mmsghdr messages[CLINUX_FRAMES];
  struct iovec parts[CLINUX_FRAMES];
  union control controls[CLINUX_FRAMES];
  if (count > CLINUX_FRAMES) count = CLINUX_FRAMES;
  for (int i = 0; i < count; i++) {
    parts[i] = (struct iovec){frames[i].bytes, frames[i].size};
    messages[i].msg_hdr = (struct msghdr){
        .msg_iov = &parts[i], .msg_iovlen = 1, .msg_control = &controls[i], .msg_controllen = sizeof controls[i]};
  }
  int result;
  do result = recvmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT | MSG_TRUNC, NULL);
  while (result < 0 && errno == EINTR);
  if (result < 0) return errno == EAGAIN ? 0 : -errno;
  for (int i = 0; i < result; i++) {
    struct msghdr *header = &messages[i].msg_hdr;
    frames[i].size = messages[i].msg_len;
    frames[i].has_time = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS) continue;
      struct timespec time;
      memcpy(&time, CMSG_DATA(part), sizeof time);
      frames[i].realtime = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
      frames[i].has_time = 1;
    }
  }
  return result;
}

int clinux_frames_write(int descriptor, const struct clinux_frame *frames, int count) {
  struct mmsghdr messages[CLINUX_FRAMES];
  struct iovec parts[CLINUX_FRAMES];
  if (count > CLINUX_FRAMES) count = CLINUX_FRAMES;
  for (int i = 0; i < count; i++) {
    parts[i] = (struct iovec){frames[i].bytes, frames[i].size};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  int result;
  do result = sendmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT);
  while (result < 0 && errno == EINTR);
  if (result < 0) return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
  return result;
}
