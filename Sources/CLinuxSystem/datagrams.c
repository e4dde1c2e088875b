#define _GNU_SOURCE
#include "CLinuxSystem.h"
#include "addresses.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

// Room for what the kernel tells beside a datagram.
struct arrival {
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
};

struct tandem_receiver {
    uint32_t slots;
    uint32_t slot_bytes;
    size_t stride;
    uint8_t *bytes;
    struct mmsghdr *headers;
    struct iovec *vectors;
    struct sockaddr_storage *sources;
    struct arrival *arrivals;
    struct tandem_datagram *datagrams;
};

int tandem_note_arrivals(int descriptor) {
    int on = 1;
    return setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

static uint64_t arrived(struct msghdr *header) {
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    if (control == NULL || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS) {
        return 0;
    }
    struct timespec time;
    memcpy(&time, CMSG_DATA(control), sizeof time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

struct tandem_receiver *tandem_receiver_create(uint32_t slots, uint32_t slot_bytes) {
    struct tandem_receiver *receiver = calloc(1, sizeof *receiver);
    if (receiver == NULL) {
        return NULL;
    }
    receiver->slots = slots;
    receiver->slot_bytes = slot_bytes;
    // Slots a multiple of a page apart would fight for the same sets of the first-level cache.
    receiver->stride = ((size_t)slot_bytes + 63) / 64 * 64 + 5 * 64;
    // Mapped, not allocated: the kernel gives a page only once a datagram has reached it.
    void *bytes = mmap(
        NULL, receiver->stride * slots, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    receiver->bytes = bytes == MAP_FAILED ? NULL : bytes;
    receiver->headers = calloc(slots, sizeof *receiver->headers);
    receiver->vectors = calloc(slots, sizeof *receiver->vectors);
    receiver->sources = calloc(slots, sizeof *receiver->sources);
    receiver->arrivals = calloc(slots, sizeof *receiver->arrivals);
    receiver->datagrams = calloc(slots, sizeof *receiver->datagrams);
    if (!receiver->bytes || !receiver->headers || !receiver->vectors || !receiver->sources || !receiver->arrivals
        || !receiver->datagrams) {
        tandem_receiver_destroy(receiver);
        return NULL;
    }
    for (uint32_t slot = 0; slot < slots; slot++) {
        receiver->vectors[slot].iov_base = receiver->bytes + receiver->stride * slot;
        receiver->vectors[slot].iov_len = slot_bytes;
        receiver->headers[slot].msg_hdr.msg_iov = &receiver->vectors[slot];
        receiver->headers[slot].msg_hdr.msg_iovlen = 1;
        receiver->headers[slot].msg_hdr.msg_name = &receiver->sources[slot];
        receiver->headers[slot].msg_hdr.msg_namelen = sizeof receiver->sources[slot];
        receiver->headers[slot].msg_hdr.msg_control = receiver->arrivals[slot].control;
        receiver->headers[slot].msg_hdr.msg_controllen = sizeof receiver->arrivals[slot].control;
        receiver->datagrams[slot].bytes = receiver->bytes + receiver->stride * slot;
    }
    return receiver;
}

void tandem_receiver_destroy(struct tandem_receiver *receiver) {
    if (receiver == NULL) {
        return;
    }
    if (receiver->bytes != NULL) {
        munmap(receiver->bytes, receiver->stride * receiver->slots);
    }
    free(receiver->headers);
    free(receiver->vectors);
    free(receiver->sources);
    free(receiver->arrivals);
    free(receiver->datagrams);
    free(receiver);
}

int tandem_receiver_fill(struct tandem_receiver *receiver, int descriptor, const struct tandem_datagram **datagrams) {
    *datagrams = receiver->datagrams;
    int count = recvmmsg(descriptor, receiver->headers, receiver->slots, MSG_DONTWAIT, NULL);
    for (int slot = 0; slot < count; slot++) {
        struct mmsghdr *header = &receiver->headers[slot];
        struct tandem_datagram *datagram = &receiver->datagrams[slot];
        datagram->length = header->msg_len;
        datagram->truncated = (header->msg_hdr.msg_flags & MSG_TRUNC) != 0;
        datagram->arrived = arrived(&header->msg_hdr);
        // A connected pair of Unix sockets has no source; all zeros stand for it.
        (void)tandem_from_sockaddr(&receiver->sources[slot], &datagram->source);
        // The kernel writes the lengths of what it found; the next call needs the capacities again.
        header->msg_hdr.msg_namelen = sizeof receiver->sources[slot];
        header->msg_hdr.msg_controllen = sizeof receiver->arrivals[slot].control;
    }
    return count;
}

int tandem_send_datagrams(
    int descriptor, int family, const uint8_t *bytes, const struct tandem_outgoing *datagrams, uint32_t count) {
    struct mmsghdr headers[TANDEM_SEND_CHUNK];
    struct iovec vectors[TANDEM_SEND_CHUNK];
    // sockaddr_in6 is the longest that tandem_to_sockaddr writes; sockaddr_storage would cost four times the cache.
    struct sockaddr_in6 destinations[TANDEM_SEND_CHUNK];
    if (count > TANDEM_SEND_CHUNK) {
        count = TANDEM_SEND_CHUNK;
    }
    uint32_t prepared = 0;
    for (; prepared < count; prepared++) {
        const struct tandem_outgoing *datagram = &datagrams[prepared];
        struct msghdr *header = &headers[prepared].msg_hdr;
        memset(header, 0, sizeof *header);
        vectors[prepared].iov_base = (void *)(bytes + datagram->offset);
        vectors[prepared].iov_len = datagram->length;
        header->msg_iov = &vectors[prepared];
        header->msg_iovlen = 1;
        if (family != AF_INET && family != AF_INET6) {
            continue;
        }
        header->msg_namelen = tandem_to_sockaddr(
            family, &datagram->destination, (struct sockaddr_storage *)&destinations[prepared]);
        header->msg_name = &destinations[prepared];
        if (header->msg_namelen == 0) {
            break;  // IPv6 from an IPv4 socket: send what stands before it, then report it as the first.
        }
    }
    if (prepared == 0) {
        errno = EAFNOSUPPORT;
        return count == 0 ? 0 : -1;
    }
    return sendmmsg(descriptor, headers, prepared, MSG_DONTWAIT | MSG_NOSIGNAL);
}
