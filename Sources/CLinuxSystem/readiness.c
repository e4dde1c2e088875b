#define _GNU_SOURCE
#include "CLinuxSystem.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

int tandem_wait(int descriptor, int for_reading, uint64_t nanoseconds) {
    struct pollfd entry = {.fd = descriptor, .events = for_reading ? POLLIN : POLLOUT};
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return ppoll(&entry, 1, &time, NULL);
}

int tandem_epoll_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t tag) {
    struct epoll_event event = {0};
    event.events = ((events & TANDEM_READABLE) ? EPOLLIN : 0) | ((events & TANDEM_WRITABLE) ? EPOLLOUT : 0);
    event.data.u64 = tag;
    return epoll_ctl(epoll, operation, descriptor, &event);
}

int tandem_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, events, tag);
}

int tandem_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t tag) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, events, tag);
}

int tandem_epoll_remove(int epoll, int descriptor) {
    return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

#define MOST_EVENTS 256

int tandem_epoll_wait(int epoll, struct tandem_ready *ready, int capacity, int64_t timeout_nanoseconds, int coarse) {
    struct epoll_event events[MOST_EVENTS];
    int most = capacity < MOST_EVENTS ? capacity : MOST_EVENTS;
    int count;
    if (coarse) {
        int64_t milliseconds = timeout_nanoseconds < 0 ? -1 : timeout_nanoseconds / 1000000;
        if (timeout_nanoseconds > 0 && timeout_nanoseconds % 1000000 != 0) {
            milliseconds += 1;  // Rounded down, the last millisecond before a deadline would be spent spinning.
        }
        count = epoll_wait(epoll, events, most, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
    } else {
        struct timespec timeout = {
            .tv_sec = timeout_nanoseconds / 1000000000, .tv_nsec = timeout_nanoseconds % 1000000000};
        count = epoll_pwait2(epoll, events, most, timeout_nanoseconds < 0 ? NULL : &timeout, NULL);
    }
    for (int position = 0; position < count; position++) {
        uint32_t seen = events[position].events;
        ready[position].tag = events[position].data.u64;
        ready[position].events = ((seen & EPOLLIN) ? TANDEM_READABLE : 0) | ((seen & EPOLLOUT) ? TANDEM_WRITABLE : 0)
            | ((seen & EPOLLHUP) ? TANDEM_HANGUP : 0) | ((seen & EPOLLERR) ? TANDEM_ERROR : 0);
    }
    return count;
}

int tandem_signal_descriptor(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t position = 0; position < count; position++) {
        sigaddset(&set, signals[position]);
    }
    int failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int tandem_next_signal(int descriptor) {
    struct signalfd_siginfo information;
    ssize_t count = read(descriptor, &information, sizeof information);
    if (count < 0) {
        return errno == EAGAIN ? 0 : -1;
    }
    return count == sizeof information ? (int)information.ssi_signo : 0;
}

int tandem_unblock_all_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    int failure = pthread_sigmask(SIG_SETMASK, &set, NULL);
    errno = failure;
    return failure == 0 ? 0 : -1;
}

void tandem_ignore_sigpipe(void) {
    signal(SIGPIPE, SIG_IGN);
}

static const int traps[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
enum { TRAPS = sizeof traps / sizeof *traps };
static struct sigaction former_actions[TRAPS];
static _Thread_local char last_words[256];

static void trapped(int signal, siginfo_t *info, void *context) {
    (void)context;
    ssize_t ignored = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)ignored;
    // Returning repeats what trapped, and then the process ends in the way that it would have; what was sent by somebody
    // has to be sent again.
    for (int position = 0; position < TRAPS; position++) {
        if (traps[position] == signal) sigaction(signal, &former_actions[position], NULL);
    }
    if (info->si_code <= 0) raise(signal);
}

static void watch_traps(void) {
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    for (int position = 0; position < TRAPS; position++) {
        sigaction(traps[position], &action, &former_actions[position]);
    }
}

void tandem_say_on_trap(const char *text) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_traps);
    snprintf(last_words, sizeof last_words, "%s", text);
}
