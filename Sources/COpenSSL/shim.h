// OpenSSL's libssl, and functions in the place of its macros, which Swift cannot see.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <time.h>

// TLS 1.2 and 1.3, each connection with a handshake of its own: no tickets, no cache, no renegotiation. Buffers of quiet
// connections are given back. 1 when all of it could be done.
static inline int tandem_tls_restrict(SSL_CTX *context) {
    SSL_CTX_set_options(context,
        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
            SSL_OP_PRIORITIZE_CHACHA | SSL_OP_SINGLE_ECDH_USE);
    SSL_CTX_set_mode(context,
        SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 0);
    SSL_CTX_set_max_cert_list(context, 32 * 1024);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_num_tickets(context, 0) == 1 &&
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

// The chain's next certificate, which the context owns from then on if the result is 1.
static inline int tandem_tls_add_to_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add0_chain_cert(context, certificate);
}

// Says which host is meant (RFC 6066 section 3).
static inline int tandem_tls_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

static inline int tandem_bio_pending(BIO *bio) { return (int)BIO_pending(bio); }

static inline int tandem_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

// One alternative name's bytes: its kind is 'd' for DNS, 'u' for a URI, 'i' for an IP address, 0 for what is of no use here.
static inline char tandem_name_at(const GENERAL_NAMES *names, int position, const uint8_t **bytes, int *count) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, position);
    int type = 0;
    ASN1_STRING *text = GENERAL_NAME_get0_value(name, &type);
    char kind = type == GEN_DNS ? 'd' : type == GEN_URI ? 'u' : type == GEN_IPADD ? 'i' : 0;
    if (kind == 0) return 0;
    *bytes = ASN1_STRING_get0_data(text);
    *count = ASN1_STRING_length(text);
    return kind;
}

// When a certificate stops being valid, in seconds since 1970; 0 when it does not say so legibly.
static inline int64_t tandem_certificate_end(const X509 *certificate) {
    struct tm moment;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &moment) != 1) return 0;
    return (int64_t)timegm(&moment);
}

static inline int tandem_error_is_no_more_pem(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}
