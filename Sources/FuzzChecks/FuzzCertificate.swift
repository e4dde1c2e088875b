import TLS

/// A certificate that signs itself, and its key, which everybody can read here: both protect nothing but made-up sessions. The
/// fuzzer begins with the same every time, and has no files.
enum FuzzCertificate {
    static let certificate = PEMFile(
        path: "certificate",
        bytes: Array(
            """
            -----BEGIN CERTIFICATE-----
            MIIBTzCB9aADAgECAgECMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGZ1enowIBcN
            MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBGZ1enow
            WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR9ZnlTWvCPUQxRK2o+flbZrXJcfluF
            xL4bpkPe/pnmVgrt6+H29SGwDn0n0n1L7GlOf//94Unr96meIzpoxoBko0AwPjAP
            BgNVHREECDAGggRmdXp6MAwGA1UdEwQFMAMBAf8wHQYDVR0OBBYEFLN6SzKXooG4
            qnsA9o/ixssq03w1MAoGCCqGSM49BAMCA0kAMEYCIQD5j8Udtn7SUa5vSkANRxK1
            JNh9iDbLMrVUiW6nvfig/gIhALTGqu2SBURPJsoAbfkh9JUFTT9WVMlN7u/DZLrg
            boZf
            -----END CERTIFICATE-----
            """.utf8))

    static let key = PEMFile(
        path: "key",
        bytes: Array(
            """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLtEsdTlxBt/mAT/L
            rxfV9YwBkELkdRSN1uS8zyPcuRKhRANCAAR9ZnlTWvCPUQxRK2o+flbZrXJcfluF
            xL4bpkPe/pnmVgrt6+H29SGwDn0n0n1L7GlOf//94Unr96meIzpoxoBk
            -----END PRIVATE KEY-----
            """.utf8))
}
