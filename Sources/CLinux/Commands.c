#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Between fork and exec a process that had threads may only make calls that are safe in a signal handler.
static int become(const struct clinux_command *command, pid_t parent) {
  // A command must not outlive the world it runs in.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  if (command->network >= 0 && setns(command->network, CLONE_NEWNET) < 0) return errno;
  if (command->detached && setsid() < 0) return errno;
  if (command->input >= 0 && dup2(command->input, STDIN_FILENO) < 0) return errno;
  if (command->output >= 0 && dup2(command->output, STDOUT_FILENO) < 0) return errno;
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execvpe(command->file, command->arguments, command->environment);
  return errno;
}

int clinux_command_start(const struct clinux_command *command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {
    int error = become(command, parent);
    ssize_t ignored = write(ends[1], &error, sizeof error);
    (void)ignored;
    _exit(127);
  }
  int fork_error = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return -fork_error;
  }
  int error = 0;
  ssize_t count;
  do count = read(ends[0], &error, sizeof error);
  while (count < 0 && errno == EINTR);
  close(ends[0]);
  if (count != sizeof error) return child;
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
  }
  return -error;
}

static int kill_inside(const struct stat *networks, int count) {
  DIR *folder = opendir("/proc");
  if (!folder) return 0;
  int found = 0;
  for (struct dirent *entry; (entry = readdir(folder));) {
    pid_t process = (pid_t)strtol(entry->d_name, NULL, 10);
    if (process <= 0) continue;
    char path[64];
    struct stat its;
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)process);
    if (stat(path, &its) < 0) continue;
    for (int i = 0; i < count; i++) {
      if (its.st_ino != networks[i].st_ino || its.st_dev != networks[i].st_dev) continue;
      kill(process, SIGKILL);
      found = 1;
    }
  }
  closedir(folder);
  return found;
}

// Linux before 5.9 closes one at a time, and as many as may be open.
static void close_from(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0) return;
#endif
  struct rlimit limit;
  int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1 << 20 ? (int)limit.rlim_cur : 1 << 20;
  for (int i = first; i < end; i++) close(i);
}

enum { GUARDED = 32 };

int clinux_guard_start(const int *networks, int count, int *pipe) {
  struct stat known[GUARDED];
  int ends[2];
  if (count > GUARDED) return -EINVAL;
  for (int i = 0; i < count; i++) {
    if (fstat(networks[i], &known[i]) < 0) return -errno;
  }
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  pid_t child = fork();
  if (child < 0) {
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    return -error;
  }
  if (child > 0) {
    close(ends[0]);
    *pipe = ends[1];
    return child;
  }
  // No terminal's signals, and nobody's pipes: whoever waits for the end of ours mustn't wait for this process.
  setsid();
  close(ends[1]);
  dup2(ends[0], STDIN_FILENO);
  close_from(STDOUT_FILENO);
  char byte;
  ssize_t length;
  do length = read(STDIN_FILENO, &byte, 1);
  while (length > 0 || (length < 0 && errno == EINTR));
  struct timespec pause = {.tv_nsec = 5000000};
  for (int round = 0; round < 1000 && kill_inside(known, count); round++) nanosleep(&pause, NULL);
  _exit(0);
}

int clinux_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0; }

int clinux_child_ended(int *status) {
  int raw = 0;
  pid_t child;
  do child = waitpid(-1, &raw, WNOHANG);
  while (child < 0 && errno == EINTR);
  if (child < 0) return -errno;
  if (child > 0) *status = WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
  return child;
}
