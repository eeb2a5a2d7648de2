#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int checked(int result) { return result < 0 ? -errno : result; }

int clinux_unshare(uint32_t kinds) {
  int flags = 0;
  if (kinds & CLINUX_USER) flags |= CLONE_NEWUSER;
  if (kinds & CLINUX_NETWORK) flags |= CLONE_NEWNET;
  if (kinds & CLINUX_MOUNT) flags |= CLONE_NEWNS;
  return checked(unshare(flags));
}

int clinux_network_namespace(void) { return checked(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)); }

int clinux_enter_network(int descriptor) { return checked(setns(descriptor, CLONE_NEWNET)); }

int clinux_mounts_private(void) { return checked(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL)); }

int clinux_cover_file(const char *path, const char *place, const void *bytes, uint64_t size) {
  if (mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=4m") < 0) return -errno;
  char file[256];
  int result = 0;
  int length = snprintf(file, sizeof file, "%s/file", place);
  int descriptor = length < (int)sizeof file ? open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
  if (descriptor < 0) result = -errno;
  for (uint64_t done = 0; result == 0 && done < size;) {
    ssize_t count = write(descriptor, (const char *)bytes + done, size - done);
    if (count < 0) result = -errno;
    else done += (uint64_t)count;
  }
  if (descriptor >= 0) {
    // Whatever the umask says.
    fchmod(descriptor, 0644);
    close(descriptor);
  }
  if (result == 0 && mount(file, path, NULL, MS_BIND, NULL) < 0) result = -errno;
  // The file lives on where it is bound.
  umount2(place, MNT_DETACH);
  return result;
}

// Netlink: one request a socket, because a socket belongs to the namespace in which it was opened.

struct request {
  struct nlmsghdr header;
  char room[512];
};

static void put(struct request *request, int type, const void *data, size_t size) {
  struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = (unsigned short)type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(size);
  if (size > 0) memcpy(RTA_DATA(attribute), data, size);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + (unsigned)RTA_ALIGN(RTA_LENGTH(size));
}

static struct rtattr *begin(struct request *request, int type) {
  struct rtattr *nest = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  put(request, type, NULL, 0);
  return nest;
}

static void end(struct request *request, struct rtattr *nest) {
  nest->rta_len = (unsigned short)((char *)request + request->header.nlmsg_len - (char *)nest);
}

static void start(struct request *request, int type, int flags, const void *body, size_t size) {
  memset(request, 0, sizeof *request);
  request->header.nlmsg_type = (unsigned short)type;
  request->header.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
  request->header.nlmsg_len = (unsigned)NLMSG_LENGTH(size);
  memcpy(NLMSG_DATA(&request->header), body, size);
}

static int perform(struct request *request) {
  int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (descriptor < 0) return -errno;
  int result = 0;
  if (send(descriptor, request, request->header.nlmsg_len, 0) < 0) {
    result = -errno;
  } else {
    struct {
      struct nlmsghdr header;
      struct nlmsgerr error;
      char rest[1024];
    } answer;
    ssize_t count;
    do count = recv(descriptor, &answer, sizeof answer, 0);
    while (count < 0 && errno == EINTR);
    if (count < 0) result = -errno;
    else if (answer.header.nlmsg_type == NLMSG_ERROR) result = answer.error.error;
    else result = -EPROTO;
  }
  close(descriptor);
  return result;
}

// Neither link-local addresses nor router solicitations: what crosses a link is what the commands send.
static void put_quiet(struct request *request) {
  uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
  struct rtattr *families = begin(request, IFLA_AF_SPEC);
  struct rtattr *six = begin(request, AF_INET6);
  put(request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
  end(request, six);
  end(request, families);
}

int clinux_veth_create(const char *name, const uint8_t mac[6], const char *other_name, const uint8_t other_mac[6],
                       int other_namespace) {
  struct request request;
  struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
  uint32_t mtu = 1500, queue = 1000;
  start(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
  put(&request, IFLA_IFNAME, name, strlen(name) + 1);
  put(&request, IFLA_ADDRESS, mac, 6);
  put(&request, IFLA_MTU, &mtu, sizeof mtu);
  put(&request, IFLA_TXQLEN, &queue, sizeof queue);
  struct rtattr *link = begin(&request, IFLA_LINKINFO);
  put(&request, IFLA_INFO_KIND, "veth", 5);
  struct rtattr *data = begin(&request, IFLA_INFO_DATA);
  struct rtattr *peer = begin(&request, VETH_INFO_PEER);
  memcpy((char *)&request + request.header.nlmsg_len, &info, sizeof info);
  request.header.nlmsg_len += (unsigned)NLMSG_ALIGN(sizeof info);
  put(&request, IFLA_IFNAME, other_name, strlen(other_name) + 1);
  put(&request, IFLA_ADDRESS, other_mac, 6);
  put(&request, IFLA_MTU, &mtu, sizeof mtu);
  put(&request, IFLA_TXQLEN, &queue, sizeof queue);
  put(&request, IFLA_NET_NS_FD, &other_namespace, sizeof other_namespace);
  end(&request, peer);
  end(&request, data);
  end(&request, link);
  return perform(&request);
}

int clinux_interface_index(const char *name) {
  unsigned index = if_nametoindex(name);
  return index == 0 ? -errno : (int)index;
}

int clinux_interface_up(int index) {
  struct request request;
  struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index};
  if (index > 1) {
    // Before it is up, which is when the addresses would be made.
    start(&request, RTM_NEWLINK, 0, &info, sizeof info);
    put_quiet(&request);
    int result = perform(&request);
    if (result < 0 && result != -EAFNOSUPPORT && result != -EOPNOTSUPP) return result;
  }
  info.ifi_flags = info.ifi_change = IFF_UP;
  start(&request, RTM_NEWLINK, 0, &info, sizeof info);
  return perform(&request);
}

int clinux_address_add(int index, const uint8_t *bytes, int size, int prefix) {
  struct request request;
  struct ifaddrmsg info = {
      .ifa_family = size == 4 ? AF_INET : AF_INET6,
      .ifa_prefixlen = (uint8_t)prefix,
      .ifa_flags = size == 4 ? 0 : IFA_F_NODAD,
      .ifa_index = (uint32_t)index,
  };
  start(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
  put(&request, IFA_LOCAL, bytes, (size_t)size);
  put(&request, IFA_ADDRESS, bytes, (size_t)size);
  return perform(&request);
}

int clinux_neighbour_add(int index, const uint8_t *bytes, int size, const uint8_t mac[6]) {
  struct request request;
  struct ndmsg info = {
      .ndm_family = size == 4 ? AF_INET : AF_INET6, .ndm_ifindex = index, .ndm_state = NUD_PERMANENT};
  start(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof info);
  put(&request, NDA_DST, bytes, (size_t)size);
  put(&request, NDA_LLADDR, mac, 6);
  return perform(&request);
}

int clinux_route_add(int index, const uint8_t *bytes, int size, int prefix) {
  struct request request;
  struct rtmsg info = {
      .rtm_family = size == 4 ? AF_INET : AF_INET6,
      .rtm_dst_len = (uint8_t)prefix,
      .rtm_table = RT_TABLE_MAIN,
      .rtm_protocol = RTPROT_STATIC,
      .rtm_scope = RT_SCOPE_LINK,
      .rtm_type = RTN_UNICAST,
  };
  start(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
  put(&request, RTA_DST, bytes, (size_t)size);
  put(&request, RTA_OIF, &index, sizeof index);
  return perform(&request);
}

static int set_feature(int descriptor, const char *name, uint32_t command) {
  struct ethtool_value value = {.cmd = command, .data = 0};
  struct ifreq request = {0};
  strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  request.ifr_data = (char *)&value;
  return checked(ioctl(descriptor, SIOCETHTOOL, &request));
}

int clinux_offloads_off(const char *name) {
  static const uint32_t features[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM, ETHTOOL_SSG};
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int result = 0;
  for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
    int one = set_feature(descriptor, name, features[i]);
    // A kernel that doesn't know a feature hasn't switched it on.
    if (one < 0 && one != -EOPNOTSUPP && result == 0) result = one;
  }
  close(descriptor);
  return result;
}
