#define _GNU_SOURCE
#include "CLinuxSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int add_descriptors(
    posix_spawn_file_actions_t *actions, const int *sources, const int *targets, size_t count, int null_input) {
    int failure = 0;
    int highest = STDERR_FILENO;
    if (null_input) {
        failure = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    for (size_t position = 0; failure == 0 && position < count; position++) {
        failure = posix_spawn_file_actions_adddup2(actions, sources[position], targets[position]);
        if (targets[position] > highest) {
            highest = targets[position];
        }
    }
    // Descriptors between the targets, then all above, the moved sources among them.
    for (int descriptor = STDERR_FILENO + 1; failure == 0 && descriptor < highest; descriptor++) {
        int wanted = 0;
        for (size_t position = 0; position < count; position++) {
            wanted |= targets[position] == descriptor;
        }
        if (!wanted) {
            failure = posix_spawn_file_actions_addclose(actions, descriptor);
        }
    }
    return failure == 0 ? posix_spawn_file_actions_addclosefrom_np(actions, highest + 1) : failure;
}

static int set_attributes(posix_spawnattr_t *attributes, pid_t process_group) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    // Everything to default except what cannot be changed: glibc refuses SIGKILL and SIGSTOP in no version we use.
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    int failure = posix_spawnattr_setsigmask(attributes, &none);
    if (failure == 0) {
        failure = posix_spawnattr_setsigdefault(attributes, &all);
    }
    if (failure == 0 && process_group >= 0) {
        flags |= POSIX_SPAWN_SETPGROUP;
        failure = posix_spawnattr_setpgroup(attributes, process_group);
    }
    return failure == 0 ? posix_spawnattr_setflags(attributes, flags) : failure;
}

int tandem_spawn(
    pid_t *process, const char *path, char *const arguments[], char *const environment[], const int *sources,
    const int *targets, size_t count, int null_input, pid_t process_group) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    failure = posix_spawnattr_init(&attributes);
    if (failure == 0) {
        failure = add_descriptors(&actions, sources, targets, count, null_input);
        if (failure == 0) {
            failure = set_attributes(&attributes, process_group);
        }
        if (failure == 0) {
            failure = posix_spawn(process, path, &actions, &attributes, arguments, environment);
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    errno = failure;
    return failure == 0 ? 0 : -1;
}

int tandem_pidfd_open(pid_t process) {
    // Close-on-exec is implied.
    return (int)syscall(SYS_pidfd_open, process, 0);
}

int tandem_pidfd_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int tandem_pidfd_wait(int pidfd, int *code, int *signalled) {
    siginfo_t information;
    memset(&information, 0, sizeof information);
    if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &information, WEXITED | WNOHANG) < 0) {
        return -1;
    }
    if (information.si_pid == 0) {
        return 0;
    }
    *code = information.si_status;
    *signalled = information.si_code != CLD_EXITED;
    return 1;
}

int tandem_set_process_name(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

int tandem_die_with_parent(int signal) {
    return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
}

int64_t tandem_raise_descriptor_limit(int64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return -1;
    }
    rlim_t target = (rlim_t)wanted < limit.rlim_max ? (rlim_t)wanted : limit.rlim_max;
    if (target > limit.rlim_cur) {
        limit.rlim_cur = target;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
            return -1;
        }
    }
    return (int64_t)limit.rlim_cur;
}

int tandem_raise_oom_score(int points) {
    int descriptor = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (descriptor < 0) {
        return -1;
    }
    char text[16] = {0};
    int score = 0;
    ssize_t count = read(descriptor, text, sizeof text - 1);
    if (count > 0 && sscanf(text, "%d", &score) == 1) {
        score = score + points > 1000 ? 1000 : score + points;
        int length = snprintf(text, sizeof text, "%d", score);
        count = pwrite(descriptor, text, (size_t)length, 0);
    }
    int failure = errno;
    close(descriptor);
    errno = failure;
    return count > 0 ? 0 : -1;
}

static int add_flag(int descriptor, int flag) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | flag);
}

int tandem_unblock_standard_error(void) {
    struct stat status;
    if (fstat(STDERR_FILENO, &status) < 0) {
        return -1;
    }
    if (S_ISSOCK(status.st_mode)) {
        return add_flag(STDERR_FILENO, O_NONBLOCK);
    }
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) {
        return 0;
    }
    int again = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (again < 0) {
        // Another user's pipe cannot be opened again; its readers do not mind the flag.
        return S_ISFIFO(status.st_mode) ? add_flag(STDERR_FILENO, O_NONBLOCK) : -1;
    }
    int result = dup2(again, STDERR_FILENO);
    close(again);
    return result < 0 ? -1 : 0;
}

int tandem_pin_to_cpu(pid_t process, int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int candidate = 0; candidate < CPU_SETSIZE; candidate++) {
        if (cpu < 0 || candidate == cpu) {
            CPU_SET(candidate, &set);
        }
    }
    return sched_setaffinity(process, sizeof set, &set);
}

int tandem_usable_cpus(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) < 0 ? -1 : CPU_COUNT(&set);
}

ssize_t tandem_random(void *bytes, size_t count) {
    return getrandom(bytes, count, 0);
}

int tandem_open_for_reading(const char *path) {
    // Non-blocking, so that a FIFO in the place of a file cannot hang us.
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

int tandem_create_for_writing(const char *path, mode_t mode) {
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
}

int tandem_open_directory(const char *path) {
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int tandem_make_pipe_file(const char *path, mode_t mode) {
    return mkfifo(path, mode);
}

int tandem_open_pipe_for_writing(const char *path) {
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
}

int tandem_file_kind(const char *path, mode_t *mode, uid_t *owner) {
    struct stat status;
    if (stat(path, &status) < 0) {
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    }
    *mode = status.st_mode & 07777;
    *owner = status.st_uid;
    return S_ISREG(status.st_mode) ? 1 : S_ISDIR(status.st_mode) ? 2 : S_ISSOCK(status.st_mode) ? 3 : 4;
}

void tandem_give_back_memory(void) {
    malloc_trim(0);
}
