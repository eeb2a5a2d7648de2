#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
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

int clinux_signals_read_sender(int descriptor, int *is_sent) {
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
