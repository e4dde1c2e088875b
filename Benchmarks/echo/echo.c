// Answers every datagram with "SIP/2.0 200 OK" and the headers that came: what a registrar could do at most on this
// machine, if to understand and to remember a registration cost nothing. Usage: tandem-echo PORT [share [drain]], on 127.0.0.1. With "share" others may
// bind to the port as well; with "drain" SIGTERM ends it only when it has answered what waits in its socket. It says
// "bound" on standard output once it is.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH = 64, SLOT = 2048, SOCKET_BUFFER = 8 << 20 };

static char status_line[] = "SIP/2.0 200 OK\r\n";
static char slots[BATCH][SLOT];
static struct sockaddr_in sources[BATCH];

// The socket, for the signal.
static int emptied = -1;

static int bound_socket(uint16_t port, int shares) {
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    int size = SOCKET_BUFFER;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &shares, sizeof shares);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("bind");
        exit(1);
    }
    return descriptor;
}

// Points an answer to the status line and to what follows the request's first line, so that nothing is copied.
static int make_answer(struct iovec answer[2], char *request, size_t length) {
    char *end = memchr(request, '\n', length);
    if (end == NULL) return 0;
    answer[0] = (struct iovec){.iov_base = status_line, .iov_len = sizeof status_line - 1};
    answer[1] = (struct iovec){.iov_base = end + 1, .iov_len = length - (size_t)(end + 1 - request)};
    return 1;
}

static void serve(int descriptor) {
    struct iovec buffers[BATCH], answers[BATCH][2];
    struct mmsghdr requests[BATCH], outgoing[BATCH];
    for (;;) {
        for (int slot = 0; slot < BATCH; slot++) {
            buffers[slot] = (struct iovec){.iov_base = slots[slot], .iov_len = SLOT};
            requests[slot] = (struct mmsghdr){
                .msg_hdr = {.msg_name = &sources[slot], .msg_namelen = sizeof sources[slot],
                            .msg_iov = &buffers[slot], .msg_iovlen = 1}};
        }
        int received = recvmmsg(descriptor, requests, BATCH, MSG_WAITFORONE, NULL);
        // Only a socket that was emptied for the end does not wait.
        if (received < 0 && errno == EAGAIN) return;
        int count = 0;
        for (int slot = 0; slot < received; slot++) {
            if (!make_answer(answers[count], slots[slot], requests[slot].msg_len)) continue;
            outgoing[count] = (struct mmsghdr){
                .msg_hdr = {.msg_name = &sources[slot], .msg_namelen = sizeof sources[slot],
                            .msg_iov = answers[count], .msg_iovlen = 2}};
            count++;
        }
        for (int sent = 0; sent < count;) {
            int result = sendmmsg(descriptor, outgoing + sent, (unsigned)(count - sent), 0);
            // An answer that cannot be sent is lost, as any datagram may be.
            sent += result > 0 ? result : 1;
        }
    }
}

// From here on the socket does not wait any more: whoever reads it ends when it is empty.
static void empty_and_end(int signal) {
    (void)signal;
    fcntl(emptied, F_SETFL, O_NONBLOCK);
}

int main(int count, char **arguments) {
    int port = count >= 2 ? atoi(arguments[1]) : 0;
    int shares = count >= 3 && strcmp(arguments[2], "share") == 0;
    int drains = count == 4 && strcmp(arguments[3], "drain") == 0;
    if (port <= 0 || port > 65535 || count != 2 + shares + drains) {
        fprintf(stderr, "usage: tandem-echo PORT [share [drain]]\n");
        return 2;
    }
    // Whoever measures is our parent; without it there is nothing to answer.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    emptied = bound_socket((uint16_t)port, shares);
    // A read that waits is to end with the signal.
    struct sigaction action = {.sa_handler = empty_and_end};
    if (drains) sigaction(SIGTERM, &action, NULL);
    printf("bound\n");
    fflush(stdout);
    serve(emptied);
    // At once: the end of a process takes a while until it comes to its sockets.
    close(emptied);
    return 0;
}
