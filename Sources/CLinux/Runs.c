#define _GNU_SOURCE
#include "CLinux.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

static_assert(sizeof(struct clinux_run) == 16, "C reads what Swift wrote");

// Since Linux 4.18; the headers may be older.
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

int clinux_cuts_runs(int descriptor) {
  int segment = 0;
  socklen_t size = sizeof segment;
  return getsockopt(descriptor, IPPROTO_UDP, UDP_SEGMENT, &segment, &size) == 0;
}

union control {
  struct cmsghdr header;
  uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

int clinux_runs_write(int descriptor, const struct clinux_run *runs, int count) {
  struct mmsghdr messages[CLINUX_RUNS];
  struct iovec parts[CLINUX_RUNS];
  union control controls[CLINUX_RUNS];
  if (count > CLINUX_RUNS) count = CLINUX_RUNS;
  for (int i = 0; i < count; i++) {
    struct msghdr *header = &messages[i].msg_hdr;
    parts[i] = (struct iovec){(void *)runs[i].bytes, runs[i].size};
    *header = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    if (runs[i].segment == 0) continue;
    memset(&controls[i], 0, sizeof controls[i]);
    header->msg_control = &controls[i];
    header->msg_controllen = sizeof controls[i];
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    part->cmsg_level = IPPROTO_UDP;
    part->cmsg_type = UDP_SEGMENT;
    part->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t segment = (uint16_t)runs[i].segment;
    memcpy(CMSG_DATA(part), &segment, sizeof segment);
  }
  int result;
  do result = sendmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : result;
}
