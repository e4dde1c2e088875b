#define _GNU_SOURCE
#include "CLinuxSystem.h"
#include "addresses.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

int tandem_socket_stream(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int tandem_socket_datagram(int family) {
    return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int tandem_socket_pair(int datagram, int descriptors[2]) {
    return socketpair(AF_UNIX, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, descriptors);
}

static int int_option(int descriptor, int level, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, level, option, &value, &length) < 0 ? -1 : value;
}

static int set_option(int descriptor, int level, int option, int value) {
    return setsockopt(descriptor, level, option, &value, sizeof value);
}

int tandem_socket_family(int descriptor) {
    return int_option(descriptor, SOL_SOCKET, SO_DOMAIN);
}

int tandem_bind(int descriptor, int family, const struct tandem_address *address) {
    struct sockaddr_storage storage;
    socklen_t length = tandem_to_sockaddr(family, address, &storage);
    if (length == 0) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return bind(descriptor, (struct sockaddr *)&storage, length);
}

int tandem_connect(int descriptor, int family, const struct tandem_address *address) {
    struct sockaddr_storage storage;
    socklen_t length = tandem_to_sockaddr(family, address, &storage);
    if (length == 0) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return connect(descriptor, (struct sockaddr *)&storage, length);
}

int tandem_local_address(int descriptor, struct tandem_address *address) {
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    if (getsockname(descriptor, (struct sockaddr *)&storage, &length) < 0) {
        return -1;
    }
    return tandem_from_sockaddr(&storage, address);
}

int tandem_peer_address(int descriptor, struct tandem_address *address) {
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    if (getpeername(descriptor, (struct sockaddr *)&storage, &length) < 0) {
        return -1;
    }
    return tandem_from_sockaddr(&storage, address);
}

size_t tandem_unix_path_capacity(void) {
    // One byte is the terminating zero's.
    return sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
}

static socklen_t unix_address(struct sockaddr_un *address, const char *path, size_t length, int abstract_allowed) {
    if (length == 0 || length > tandem_unix_path_capacity()) {
        errno = ENAMETOOLONG;
        return 0;
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    if (abstract_allowed && path[0] == '@') {
        address->sun_path[0] = 0;
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

int tandem_bind_unix(int descriptor, const char *path, size_t length) {
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, path, length, 0);
    return size == 0 ? -1 : bind(descriptor, (struct sockaddr *)&address, size);
}

int tandem_connect_unix(int descriptor, const char *path, size_t length) {
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, path, length, 1);
    return size == 0 ? -1 : connect(descriptor, (struct sockaddr *)&address, size);
}

ssize_t tandem_send_unix_datagram(
    int descriptor, const char *path, size_t length, const void *bytes, size_t count, int passed) {
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, path, length, 1);
    if (size == 0) {
        return -1;
    }
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_name = &address, .msg_namelen = size, .msg_iov = &vector, .msg_iovlen = 1};
    if (passed >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof passed);
        memcpy(CMSG_DATA(header), &passed, sizeof passed);
    }
    return sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int tandem_accept(int descriptor) {
    return accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int tandem_allow_address_reuse(int descriptor) {
    return set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
}

int tandem_accept_both_families(int descriptor) {
    return set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

int tandem_no_delay(int descriptor) {
    return set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
}

int tandem_keep_alive(int descriptor) {
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 4);
    return set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int64_t tandem_finished_milliseconds(int descriptor) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 || info.tcpi_state != TCP_CLOSE_WAIT) {
        return -1;
    }
    return info.tcpi_last_data_recv;
}

int tandem_reset_on_close(int descriptor) {
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

int tandem_set_buffers(int descriptor, int receive_bytes, int send_bytes) {
    // The FORCE variants pass over net.core.*mem_max where the process may; otherwise the kernel caps silently.
    if (receive_bytes > 0 && set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, receive_bytes) < 0
        && set_option(descriptor, SOL_SOCKET, SO_RCVBUF, receive_bytes) < 0) {
        return -1;
    }
    if (send_bytes > 0 && set_option(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, send_bytes) < 0
        && set_option(descriptor, SOL_SOCKET, SO_SNDBUF, send_bytes) < 0) {
        return -1;
    }
    return 0;
}

int tandem_receive_buffer(int descriptor) {
    return int_option(descriptor, SOL_SOCKET, SO_RCVBUF);
}

int tandem_socket_error(int descriptor) {
    return int_option(descriptor, SOL_SOCKET, SO_ERROR);
}

int tandem_peer_credentials(int descriptor, pid_t *process, uid_t *user, gid_t *group) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) {
        return -1;
    }
    *process = credentials.pid;
    *user = credentials.uid;
    *group = credentials.gid;
    return 0;
}

#define MOST_DESCRIPTORS 16

ssize_t tandem_send_descriptors(int descriptor, const void *bytes, size_t count, const int *passed, size_t passed_count) {
    if (count == 0 || passed_count > MOST_DESCRIPTORS) {
        errno = EINVAL;
        return -1;
    }
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    } control = {0};
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (passed_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(passed_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(passed_count * sizeof(int));
        memcpy(CMSG_DATA(header), passed, passed_count * sizeof(int));
    }
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

ssize_t tandem_receive_descriptors(
    int descriptor, void *bytes, size_t count, int *received, size_t capacity, size_t *received_count) {
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec vector = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *received_count = 0;
    ssize_t result = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC);
    if (result < 0) {
        return -1;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t position = 0; position < here; position++) {
            int passed;
            memcpy(&passed, CMSG_DATA(header) + position * sizeof(int), sizeof passed);
            if (*received_count < capacity) {
                received[(*received_count)++] = passed;
            } else {
                close(passed);
            }
        }
    }
    return result;
}

int tandem_queued_bytes(int descriptor, int *unread, int *unacknowledged) {
    if (ioctl(descriptor, SIOCINQ, unread) != 0) return -1;
    return ioctl(descriptor, SIOCOUTQ, unacknowledged);
}

int tandem_dropped_datagrams(int descriptor, uint32_t *dropped) {
    uint32_t figures[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof figures;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, figures, &length) != 0) return -1;
    *dropped = length > SK_MEMINFO_DROPS * sizeof(uint32_t) ? figures[SK_MEMINFO_DROPS] : 0;
    return 0;
}
