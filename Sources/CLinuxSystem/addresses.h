// Between the address words of the pure rooms and sockaddr; private to this target.

#pragma once

#include "CLinuxSystem.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static inline int tandem_is_mapped(const struct tandem_address *address) {
    return address->high == 0 && address->low >> 32 == 0xFFFF;
}

// The length of the address, 0 when the family cannot hold it. An IPv6 socket reaches IPv4 through mapped addresses.
static inline socklen_t tandem_to_sockaddr(
    int family, const struct tandem_address *address, struct sockaddr_storage *storage) {
    if (family == AF_INET) {
        if (!tandem_is_mapped(address)) {
            return 0;
        }
        struct sockaddr_in *ip = (struct sockaddr_in *)storage;
        memset(ip, 0, sizeof *ip);
        ip->sin_family = AF_INET;
        ip->sin_port = htobe16(address->port);
        ip->sin_addr.s_addr = htobe32((uint32_t)address->low);
        return sizeof *ip;
    }
    if (family == AF_INET6) {
        struct sockaddr_in6 *ip = (struct sockaddr_in6 *)storage;
        memset(ip, 0, sizeof *ip);
        ip->sin6_family = AF_INET6;
        ip->sin6_port = htobe16(address->port);
        uint64_t words[2] = {htobe64(address->high), htobe64(address->low)};
        memcpy(&ip->sin6_addr, words, sizeof words);
        return sizeof *ip;
    }
    return 0;
}

static inline int tandem_from_sockaddr(const struct sockaddr_storage *storage, struct tandem_address *address) {
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *ip = (const struct sockaddr_in *)storage;
        address->high = 0;
        address->low = 0xFFFF00000000u | be32toh(ip->sin_addr.s_addr);
        address->port = be16toh(ip->sin_port);
        return 0;
    }
    if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *ip = (const struct sockaddr_in6 *)storage;
        uint64_t words[2];
        memcpy(words, &ip->sin6_addr, sizeof words);
        address->high = be64toh(words[0]);
        address->low = be64toh(words[1]);
        address->port = be16toh(ip->sin6_port);
        return 0;
    }
    memset(address, 0, sizeof *address);
    errno = EAFNOSUPPORT;
    return -1;
}
