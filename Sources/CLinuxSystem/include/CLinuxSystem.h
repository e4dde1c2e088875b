// What Swift's Glibc module does not show, each call in the smallest function that makes it usable. Nothing here keeps
// state or decides anything; every function leaves errno as the system call set it and is retried by its Swift caller.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Addresses travel as two big-endian words and a port, as the pure rooms have them: IPv4 is mapped into IPv6.
struct tandem_address {
    uint64_t high;
    uint64_t low;
    uint16_t port;
};

// MARK: Sockets (sockets.c)

// `family` is AF_INET, AF_INET6 or AF_UNIX. Non-blocking and close-on-exec from birth, which socket() in Swift allows
// too, but SOCK_NONBLOCK and SOCK_CLOEXEC are enum cases there that do not combine.
int tandem_socket_stream(int family);
int tandem_socket_datagram(int family);
// A connected pair of Unix sockets, close-on-exec and non-blocking; `datagram` chooses between datagrams and a stream.
int tandem_socket_pair(int datagram, int descriptors[2]);
// AF_INET, AF_INET6 or AF_UNIX, as the kernel says; -1 with errno.
int tandem_socket_family(int descriptor);
// sockaddr_in and sockaddr_in6 need pointer casts that C checks no less and writes shorter.
int tandem_bind(int descriptor, int family, const struct tandem_address *address);
int tandem_connect(int descriptor, int family, const struct tandem_address *address);
int tandem_local_address(int descriptor, struct tandem_address *address);
int tandem_peer_address(int descriptor, struct tandem_address *address);
// sun_path is a 108-element tuple in Swift. A first byte of '@' means the abstract namespace (as in NOTIFY_SOCKET)
// for connect and send only; bind always makes a file.
size_t tandem_unix_path_capacity(void);
int tandem_bind_unix(int descriptor, const char *path, size_t length);
int tandem_connect_unix(int descriptor, const char *path, size_t length);
// `passed` is a descriptor that goes along; -1 for none.
ssize_t tandem_send_unix_datagram(
    int descriptor, const char *path, size_t length, const void *bytes, size_t count, int passed);
// accept4 is hidden: without it a descriptor could leak into a child spawned between accept and fcntl.
int tandem_accept(int descriptor);
// Socket options are `enum` constants or macros whose types differ by platform.
int tandem_allow_address_reuse(int descriptor);
int tandem_accept_both_families(int descriptor);
int tandem_no_delay(int descriptor);
// Asks a silent peer after a minute whether it is there; one that says nothing for another minute is gone.
int tandem_keep_alive(int descriptor);
// How many milliseconds ago data came last over a TCP connection whose peer has said that no more will come; -1 of any other.
int64_t tandem_finished_milliseconds(int descriptor);
// Closing will drop what is under way and reset the connection (SO_LINGER with no time).
int tandem_reset_on_close(int descriptor);
int tandem_set_buffers(int descriptor, int receive_bytes, int send_bytes);
int tandem_receive_buffer(int descriptor);
// Bytes in the kernel's queues of a stream socket: received and not read, sent and not acknowledged (SIOCINQ, SIOCOUTQ).
int tandem_queued_bytes(int descriptor, int *unread, int *unacknowledged);

/// How many datagrams a socket has had no room for since it was opened.
int tandem_dropped_datagrams(int descriptor, uint32_t *dropped);
// The pending error of a socket (SO_ERROR), 0 if there is none, -1 with errno if it cannot be asked.
int tandem_socket_error(int descriptor);
// struct ucred is hidden.
int tandem_peer_credentials(int descriptor, pid_t *process, uid_t *user, gid_t *group);
// The CMSG macros are hidden. At least one byte travels with the descriptors; received ones are close-on-exec.
// `received` holds `capacity` numbers, at most 16, and `*received_count` says how many came.
ssize_t tandem_send_descriptors(int descriptor, const void *bytes, size_t count, const int *passed, size_t passed_count);
ssize_t tandem_receive_descriptors(
    int descriptor, void *bytes, size_t count, int *received, size_t capacity, size_t *received_count);

// MARK: Datagrams (datagrams.c): recvmmsg, sendmmsg and struct mmsghdr are hidden

struct tandem_datagram {
    const uint8_t *bytes;
    uint32_t length;
    // Not 0 when the datagram was longer than its slot, so that its end is lost.
    uint32_t truncated;
    // When the kernel got it, milliseconds since 1970; 0 where it was not asked for, by `tandem_note_arrivals`.
    uint64_t arrived;
    struct tandem_address source;
};

// Has the kernel note when each datagram arrives, however long it then waits, if it can: 0, or -1 with errno.
int tandem_note_arrivals(int descriptor);

// A number of equal slots, allocated once. Opaque to Swift.
struct tandem_receiver;
struct tandem_receiver *tandem_receiver_create(uint32_t slots, uint32_t slot_bytes);
void tandem_receiver_destroy(struct tandem_receiver *receiver);
// Fills as many slots as there are datagrams waiting; the number, or -1 with errno. `*datagrams` is valid until the
// next call.
int tandem_receiver_fill(struct tandem_receiver *receiver, int descriptor, const struct tandem_datagram **datagrams);

struct tandem_outgoing {
    uint64_t offset;
    uint32_t length;
    struct tandem_address destination;
};

#define TANDEM_SEND_CHUNK 64

// Sends up to TANDEM_SEND_CHUNK datagrams of one buffer; how many were sent, or -1 with errno if not even the first.
// A family that is not an IP family means a connected socket: destinations are ignored.
int tandem_send_datagrams(
    int descriptor, int family, const uint8_t *bytes, const struct tandem_outgoing *datagrams, uint32_t count);

// MARK: Readiness (readiness.c): the epoll family, signalfd and eventfd are hidden

#define TANDEM_READABLE 1u
#define TANDEM_WRITABLE 2u
#define TANDEM_HANGUP 4u
#define TANDEM_ERROR 8u

struct tandem_ready {
    uint64_t tag;
    uint32_t events;
};

/// Waits until a descriptor is readable, or writable, for at most so many nanoseconds: 1 when it is, 0 when the time is over,
/// -1 with errno.
int tandem_wait(int descriptor, int for_reading, uint64_t nanoseconds);
int tandem_epoll_create(void);
int tandem_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag);
int tandem_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t tag);
int tandem_epoll_remove(int epoll, int descriptor);
// A negative timeout waits for ever. `coarse` uses epoll_wait and rounds up to milliseconds, for kernels and sandboxes
// without epoll_pwait2. `capacity` is at most 256.
int tandem_epoll_wait(int epoll, struct tandem_ready *ready, int capacity, int64_t timeout_nanoseconds, int coarse);

// Blocks the signals in the calling thread and makes a descriptor that reads them.
int tandem_signal_descriptor(const int *signals, size_t count);
// The next pending signal of the descriptor, 0 if none is pending, -1 with errno.
int tandem_next_signal(int descriptor);
int tandem_unblock_all_signals(void);
void tandem_ignore_sigpipe(void);
// What the calling thread says on standard error if it traps, before the process ends as it would have anyway. Up to 255
// bytes, copied; an empty text says nothing.
void tandem_say_on_trap(const char *text);

// MARK: Processes (processes.c)

// posix_spawn with its attributes: signals unblocked and default in the child, a new process group if asked for
// (process_group 0; -1 means none). Sources must not collide with targets: the caller moves them out of the way.
int tandem_spawn(
    pid_t *process, const char *path, char *const arguments[], char *const environment[], const int *sources,
    const int *targets, size_t count, int null_input, pid_t process_group);
// pidfd_open has a glibc wrapper since 2.36 only.
int tandem_pidfd_open(pid_t process);
int tandem_pidfd_signal(int pidfd, int signal);
// waitid's siginfo_t is a union of macros. 1: ended, with *code an exit code or, if *signalled, a signal; 0: still
// running; -1 with errno.
int tandem_pidfd_wait(int pidfd, int *code, int *signalled);
// prctl is variadic and hidden.
int tandem_set_process_name(const char *name);
int tandem_die_with_parent(int signal);
// RLIMIT_NOFILE is an enum case of another type than getrlimit takes. The soft limit afterwards, -1 with errno.
int64_t tandem_raise_descriptor_limit(int64_t wanted);
// Adds to /proc/self/oom_score_adj, up to 1000; adding needs no privilege.
int tandem_raise_oom_score(int points);
// Sees to it that writing to standard error never waits, without changing the open file that others share with us: a
// pipe or terminal is opened again, a socket gets the flag. Plain files need nothing.
int tandem_unblock_standard_error(void);
// cpu_set_t's macros are hidden. Process 0 is the calling thread; a negative cpu means all.
int tandem_pin_to_cpu(pid_t process, int cpu);
int tandem_usable_cpus(void);
// getrandom is hidden by older headers' feature macros.
ssize_t tandem_random(void *bytes, size_t count);
// Gives memory that nobody has any more back to the kernel (malloc_trim(3)).
void tandem_give_back_memory(void);
// open is variadic, and its flags combine better here.
int tandem_open_for_reading(const char *path);
int tandem_create_for_writing(const char *path, mode_t mode);
int tandem_open_directory(const char *path);
// A named pipe. Its writer opens it for reading too, so that it is never a broken pipe; neither end ever waits.
int tandem_make_pipe_file(const char *path, mode_t mode);
int tandem_open_pipe_for_writing(const char *path);
// Follows symbolic links. 0 nothing there, 1 a regular file, 2 a directory, 3 a socket, 4 anything else, -1 with errno.
int tandem_file_kind(const char *path, mode_t *mode, uid_t *owner);
