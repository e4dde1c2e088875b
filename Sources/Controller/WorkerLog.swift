import ClusterModel
import LinuxSystem
import Orchestration
import ProcessRuntime
import Transport

/// Reads what a worker writes to standard error: keeps the last lines and passes them on to the controller's own.
///
/// The pipe is a file, so that the next controller can go on reading where this one ended. Neither end waits: when the
/// pipe is full, because nobody reads, the worker's lines are lost and the worker goes on.
final class WorkerLog {
    /// The most that one turn reads of it before the other descriptors have theirs.
    private static let bytesPerTurn = 16 * 1024

    private(set) var tail: LogTail
    private let name: String
    private var path: String
    private let loop: EventLoop
    private var reader: OwnedDescriptor?
    private var watch: DescriptorWatch?

    init(node: String, path: String, on loop: EventLoop) {
        tail = LogTail(name: node)
        name = node
        self.path = path
        self.loop = loop
    }

    /// Makes the pipe of a new life.
    ///
    /// - Returns: what becomes the worker's standard error.
    func begin() throws(SystemError) -> OwnedDescriptor {
        end()
        let (reader, writer) = try Files.makePipe(at: path)
        try take(reader)
        return writer
    }

    /// Reads on in the pipe of a worker that runs already. A worker without one still serves.
    func goOn() {
        end()
        do throws(SystemError) {
            try take(try Files.openPipe(at: path))
        } catch {
            StandardError.write(Array("the log of a worker cannot be read: \(error)\n".utf8))
        }
    }

    /// The worker is gone: what it wrote last is read before its end is told. A process of its own that still writes there
    /// must not keep us: the pipe holds 64 KiB.
    func end() {
        for _ in 0..<4 where reader != nil { read() }
        close()
        pass(tail.end(now: loop.now.monotonic))
    }

    /// The pipe is to be found elsewhere from now on.
    func move(to path: String) {
        _ = try? Files.rename(self.path, to: path)
        self.path = path
    }

    func removeFile() {
        _ = try? Files.remove(path)
    }

    private func take(_ descriptor: OwnedDescriptor) throws(SystemError) {
        reader = descriptor
        watch = try DescriptorWatch(descriptor, on: loop) { [unowned self] in read() }
    }

    private func read() {
        guard let reader else { return }
        var bytes = [UInt8](repeating: 0, count: Self.bytesPerTurn)
        let count: Int?
        do throws(SystemError) {
            count = try reader.read(into: &bytes)
        } catch {
            return close()
        }
        guard let count else { return }
        if count == 0 { return close() }
        pass(tail.append(bytes.prefix(count), now: loop.now.monotonic))
    }

    private func pass(_ lines: [[UInt8]]) {
        for line in lines {
            guard let journal = JournalSocket.ours else {
                StandardError.write(line)
                continue
            }
            StandardErrorLog.write(
                LogLine(String(decoding: line.dropLast(), as: UTF8.self)), to: journal, identifier: "tandem-worker",
                node: name)
        }
    }

    private func close() {
        watch?.cancel()
        watch = nil
        reader?.close()
        reader = nil
    }
}
