#ifndef CLINUX_EMULATION_H
#define CLINUX_EMULATION_H

// What `link` and `race` are made of: namespaces, veth pairs, frames, and commands in a namespace. Every function that
// can fail returns a negative errno.

#include <stdint.h>

// Namespaces.

enum { CLINUX_USER = 1, CLINUX_NETWORK = 2, CLINUX_MOUNT = 4 };
// Leaves the namespaces of these kinds for new ones. A user namespace is only to be had in a process of one thread.
int clinux_unshare(uint32_t kinds);
// A descriptor of the calling thread's network namespace.
int clinux_network_namespace(void);
// Moves the calling thread into the network namespace.
int clinux_enter_network(int descriptor);
// Cuts mounts made here off from the rest of the system, which goes on to be seen here.
int clinux_mounts_private(void);
// Puts a file with these bytes in the place of `path`, in this mount namespace alone. The file lies in memory; `place`
// is any folder, under which it is made for a moment.
int clinux_cover_file(const char *path, const char *place, const void *bytes, uint64_t size);

// Interfaces.

// Makes a veth pair: one end here, the other in the network namespace `other_namespace`.
int clinux_veth_create(const char *name, const uint8_t mac[6], const char *other_name, const uint8_t other_mac[6],
                       int other_namespace);
// Switches off everything that would let frames cross that no wire carries, in the calling thread's namespace.
int clinux_offloads_off(const char *name);
int clinux_interface_index(const char *name);
// Brings it up, without IPv6 addresses of its own making.
int clinux_interface_up(int index);
// `bytes` is an address of 4 or 16 bytes.
int clinux_address_add(int index, const uint8_t *bytes, int size, int prefix);
int clinux_neighbour_add(int index, const uint8_t *bytes, int size, const uint8_t mac[6]);
int clinux_route_add(int index, const uint8_t *bytes, int size, int prefix);

// Frames.

// A raw socket that sees what comes in on the interface, and sends on it.
int clinux_packet_socket(int index);
// Frames that it had no room for since the call before.
int clinux_packet_drops(int descriptor, uint32_t *drops);

enum { CLINUX_FRAMES = 64 };
struct clinux_frame {
  uint8_t *bytes;
  uint32_t size;      // the room on the way in, then what the frame had, which may be more
  uint32_t has_time;
  int64_t realtime;   // CLOCK_REALTIME in nanoseconds, when has_time
};
// Reads up to `count` frames, at most CLINUX_FRAMES; 0 when none waits.
int clinux_frames_read(int descriptor, struct clinux_frame *frames, int count);
// Sends up to `count` frames, at most CLINUX_FRAMES; gives how many went, 0 when there is no room.
int clinux_frames_write(int descriptor, const struct clinux_frame *frames, int count);

// Commands.

struct clinux_command {
  const char *file;
  char *const *arguments;
  char *const *environment;
  int network;   // the network namespace to be in, or -1
  int input;     // what standard input is, or -1 for this process's own
  int output;    // what standard output is, or -1
  int detached;  // a session of its own, without a terminal
};
// Starts a command, which dies with this process; its number, or why it can't be run.
int clinux_command_start(const struct clinux_command *command);
// Starts a process that waits until nobody holds `pipe` any more, whatever the reason, and then kills every process in
// these network namespaces; its number. Only in a process of one thread.
int clinux_guard_start(const int *networks, int count, int *pipe);
// Takes in the orphans of this process's children.
int clinux_adopt_orphans(void);
// The next child that has ended: its number, with its exit status or the negative number of the signal that ended it;
// 0 when none has, -ECHILD when there is none.
int clinux_child_ended(int *status);

#endif
