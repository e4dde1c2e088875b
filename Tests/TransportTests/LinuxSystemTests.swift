import ClusterModel
import Glibc
import LinuxSystem
import Testing
import Transport

@Suite struct SocketTests {
    @Test func `a port in use is told as a sentence`() throws {
        let first = try Sockets.boundUDP(anyPort)
        let address = try first.localAddress()
        let error = #expect(throws: SystemError.self) { try Sockets.boundUDP(address) }
        #expect(error?.description == "cannot bind udp:\(address): address already in use")
        let listener = try Sockets.listeningTCP(anyPort)
        let tcp = try listener.localAddress()
        let second = #expect(throws: SystemError.self) { try Sockets.listeningTCP(tcp) }
        #expect(second?.description == "cannot bind tcp:\(tcp): address already in use")
    }

    @Test func `a path too long for a socket is an error that says so with both lengths`() {
        let path = "/tmp/" + String(repeating: "x", count: 110)
        for attempt in [{ try UnixSocket.listen(path: path) }, { try UnixSocket.connect(path: path) }] {
            let error = #expect(throws: SystemError.self) { _ = try attempt() }
            #expect(error?.reason.contains("the path has 115 bytes, a socket's path can have 107") == true)
        }
    }

    @Test func `a socket file that nobody answers at is replaced, a live one and other files are not`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("control.sock")
        let first = try UnixSocket.listen(path: path)
        let refused = #expect(throws: SystemError.self) { try UnixSocket.listen(path: path) }
        #expect(refused?.description == "cannot bind unix:\(path): address already in use")
        first.close()
        let second = try UnixSocket.listen(path: path, mode: 0o660)
        #expect(try Files.permissions(of: path)?.mode == 0o660)
        _ = try UnixSocket.connect(path: path)
        second.close()
        let other = directory.file("precious")
        try Files.writeAtomically([1], to: other)
        #expect(throws: SystemError.self) { try UnixSocket.listen(path: other) }
        #expect(try Files.read(other, limit: 10) == [1])
    }

    @Test func `descriptors travel over a Unix socket`() throws {
        let (left, right) = try Sockets.streamPair()
        let (inside, outside) = try Sockets.streamPair()
        #expect(try left.send([7], passing: [inside, outside]) == 1)
        inside.close()
        let received = try #require(try right.receivePassing(maximum: 10))
        #expect(received.bytes == [7])
        #expect(received.descriptors.count == 2)
        #expect(try received.descriptors[0].send([9], from: 0) == 1)
        #expect(try outside.wait(forReading: true, nanoseconds: 0))
        #expect(try right.receivePassing(maximum: 10) == nil)
    }

    @Test func `a pipe that is a file never makes its writer wait, and keeps what was written between two readers`()
        throws
    {
        let directory = try TemporaryDirectory()
        let path = directory.file("log")
        try Files.writeAtomically([1], to: path)
        let (reader, writer) = try Files.makePipe(at: path)
        #expect(try Files.permissions(of: path)?.mode == 0o600)
        var bytes = [UInt8](repeating: 0, count: 10)
        #expect(try reader.read(into: &bytes) == nil)
        reader.close()
        #expect(write(writer.number, [7, 8] as [UInt8], 2) == 2, "not broken")
        let piece = [UInt8](repeating: 9, count: 4096)
        while write(writer.number, piece, piece.count) > 0 {}
        #expect(errno == EAGAIN)
        let next = try Files.openPipe(at: path)
        #expect(try next.read(into: &bytes) == 10)
        #expect(bytes.prefix(3) == [7, 8, 9])
        writer.close()
        var rest = [UInt8](repeating: 0, count: 1 << 20)
        while let count = try next.read(into: &rest), count > 0 {}
        #expect(try next.read(into: &rest) == 0, "its end shows once no writer is left")
    }

    @Test func `who connects sees who listens, and when that process is gone`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("worker.sock")
        let listener = try UnixSocket.listen(path: path)
        let caller = try UnixSocket.connect(path: path)
        #expect(try caller.peerCredentials().process == ProcessInformation.current)
        #expect(!caller.isHungUp)
        // Also a connection that was never accepted.
        listener.close()
        #expect(caller.isHungUp)
        #expect(try Files.names(in: directory.path) == ["worker.sock"])
    }

    @Test func `a descriptor is closed once, and tells so once`() throws {
        let (left, right) = try Sockets.streamPair()
        var told = 0
        left.whenClosed { told += 1 }
        left.close()
        left.close()
        #expect(told == 1)
        #expect(!left.isOpen)
        #expect(right.isOpen)
    }
}

@Suite struct ChildProcessTests {
    private func end(of child: ChildProcess) throws -> ProcessEnd? {
        let loop = try EventLoop()
        var status: ProcessEnd?
        let watch = try DescriptorWatch(child.descriptor, on: loop) {
            status = try? child.exitStatus()
        }
        try loop.runUntil { status != nil }
        watch.cancel()
        return status
    }

    @Test func `an exit code is told through the descriptor`() throws {
        let child = try ChildProcess.spawn("/bin/sh", arguments: ["-c", "exit 7"], environment: [])
        #expect(try end(of: child) == .exited(code: 7))
        #expect(try !child.send(.terminate))
    }

    @Test func `a signal that we block waits to be read, and is not blocked in a child`() throws {
        let signals = try SignalReader([.user1])
        #expect(try signals.next() == nil)
        // To this thread: another test's thread does not block it.
        #expect(raise(Signal.user1.rawValue) == 0)
        #expect(try signals.next() == .user1)
        let sleeper = try ChildProcess.spawn("/bin/sleep", arguments: ["600"], environment: [])
        try sleeper.send(.user1)
        #expect(try end(of: sleeper) == .signalled(Signal.user1.rawValue))
    }

    @Test func `a signal that ends a child is told through the descriptor`() throws {
        let child = try ChildProcess.spawn("/bin/sh", arguments: ["-c", "read x; exit 1"], environment: [])
        let sleeper = try ChildProcess.spawn("/bin/sleep", arguments: ["600"], environment: [], group: .new)
        #expect(try sleeper.exitStatus() == nil)
        try sleeper.send(.terminate)
        #expect(try end(of: sleeper) == .signalled(15))
        // Its input is /dev/null, so reading ends at once.
        #expect(try end(of: child) == .exited(code: 1))
        #expect(try child.exitStatus() == .exited(code: 1))
    }

    @Test func `a child has the inherited descriptors at their numbers, the environment, and nothing else`() throws {
        let (left, right) = try Sockets.streamPair()
        let (other, kept) = try Sockets.streamPair()
        // Written before it is read: our sockets do not block, in the child neither.
        #expect(try kept.send(Array("hello\n".utf8), from: 0) == 6)
        let script = "echo $NAME >&5; read x <&6; echo $x >&5; ls /proc/self/fd | tr '\\n' ' ' >&5"
        let child = try ChildProcess.spawn(
            "/bin/sh", arguments: ["-c", script], environment: ["NAME=tandem", "PATH=/bin:/usr/bin"],
            inherited: [.init(left, as: 5), .init(other, as: 6)])
        left.close()
        #expect(try end(of: child) == .exited(code: 0))
        let text = String(decoding: try #require(try right.receivePassing(maximum: 1000)).bytes, as: UTF8.self)
        // 3 is what ls reads the directory with.
        #expect(text == "tandem\nhello\n0 1 2 3 5 6 ")
    }

    @Test func `a program that is not there is told as a sentence`() {
        let error = #expect(throws: SystemError.self) {
            try ChildProcess.spawn("/nonexistent/tandem", arguments: [], environment: [])
        }
        #expect(error?.description == "cannot start /nonexistent/tandem: no such file or directory")
    }

    @Test func `the kernel tells about processes`() throws {
        let own = ProcessInformation.current
        #expect(try #require(ProcessInformation.residentBytes(of: own)) > 1 << 20)
        #expect(try #require(ProcessInformation.openDescriptors(of: own)) > 2)
        #expect(ProcessInformation.processorNanoseconds(of: own) != nil)
        #expect(ProcessInformation.startTicks(of: own) != nil)
        #expect(ProcessInformation.residentBytes(of: Int32.max) == nil)
        #expect(try #require(ProcessInformation.proportionalBytes(of: own)) > 1 << 20)
        #expect(ProcessInformation.proportionalBytes(of: Int32.max) == nil)
        #expect(ProcessInformation.children(of: ProcessInformation.parent).contains(own))
        #expect(ProcessInformation.children(of: Int32.max).isEmpty)
        #expect(ProcessInformation.usableProcessors > 0)
        #expect(try OwnProcess.raiseDescriptorLimit(to: 256) > 0)
    }
}

@Suite struct ServiceNotifierTests {
    @Test func `messages reach a manager at a path in one datagram`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("notify")
        let manager = try UnixSocket.boundDatagram(path: path)
        let notifier = try #require(ServiceNotifier(address: path))
        try notifier.notify(.ready, .status("3 of 3 nodes\nready"))
        let got = try #require(try manager.receivePassing(maximum: 1000))
        #expect(String(decoding: got.bytes, as: UTF8.self) == "READY=1\nSTATUS=3 of 3 nodes ready")
        try notifier.notify(.watchdog)
        try notifier.notify(.stopping)
        #expect(try manager.receivePassing(maximum: 100)?.bytes == Array("WATCHDOG=1".utf8))
        manager.close()
        #expect(throws: SystemError.self) { try notifier.notify(.ready) }
    }

    @Test func `without a manager there is nobody to tell`() {
        #expect(ServiceNotifier(address: nil) == nil)
        #expect(ServiceNotifier(address: "") == nil)
        #expect(ServiceNotifier(address: "vsock:2:1234") == nil)
    }
}

@Suite struct FilesTests {
    @Test func `a file is replaced whole, and nothing else is left behind`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("state")
        try Files.writeAtomically(Array("old".utf8), to: path)
        try Files.writeAtomically(Array("new and longer".utf8), to: path, mode: 0o640)
        #expect(try Files.read(path, limit: 100) == Array("new and longer".utf8))
        #expect(try Files.permissions(of: path)?.mode == 0o640)
        try Files.remove(path)
        // Succeeds only if the directory is empty.
        try Files.removeDirectory(directory.path)
        #expect(throws: SystemError.self) { try Files.writeAtomically([1], to: path) }
    }

    @Test func `a file longer than the limit is refused`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("long")
        try Files.writeAtomically([UInt8](repeating: 1, count: 200_000), to: path)
        #expect(try Files.read(path, limit: 200_000).count == 200_000)
        let error = #expect(throws: SystemError.self) { try Files.read(path, limit: 199_999) }
        #expect(error?.description == "cannot read \(path): file too large")
    }

    @Test func `directories are made with those above them, and a file in the way is an error`() throws {
        let directory = try TemporaryDirectory()
        try Files.makeDirectory("\(directory.path)/a/b", mode: 0o750)
        try Files.makeDirectory("\(directory.path)/a/b", mode: 0o700)
        #expect(try Files.kind(of: "\(directory.path)/a/b") == .directory)
        #expect(try Files.permissions(of: "\(directory.path)/a")?.mode == 0o750)
        let file = directory.file("file")
        try Files.writeAtomically([], to: file)
        #expect(throws: SystemError.self) { try Files.makeDirectory("\(file)/below") }
        #expect(try Files.kind(of: "\(directory.path)/missing") == nil)
        #expect(Files.isExecutable("/bin/sh"))
        #expect(!Files.isExecutable(file) && !Files.isExecutable(directory.path))
        try Files.removeDirectory("\(directory.path)/a/b")
        try Files.removeDirectory("\(directory.path)/a")
    }
}
