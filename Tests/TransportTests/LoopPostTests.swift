import Dispatch
import LinuxSystem
import Testing
import Transport

private final class Inbox {
    var batches: [[Int]] = []
    var messages: [Int] { batches.flatMap(\.self) }
}

@Suite struct LoopPostTests {
    @Test func `messages come in their order, a bounded number a turn, and others have turns between`() throws {
        let loop = try EventLoop()
        let post = try LoopPost<Int>(capacity: 1_000)
        let inbox = Inbox()
        try post.attach(on: loop) { inbox.batches.append($0) }
        for number in 0..<700 { #expect(post.post(number)) }
        #expect(try loop.run(for: patience) { inbox.messages.count == 700 })
        #expect(inbox.messages == Array(0..<700))
        #expect(inbox.batches.map(\.count) == [256, 256, 188])
        #expect(post.post(7))
        #expect(try loop.run(for: patience) { inbox.messages.last == 7 })
    }

    @Test func `what does not fit is refused, and fits when there is room again`() throws {
        let loop = try EventLoop()
        let post = try LoopPost<Int>(capacity: 3)
        let inbox = Inbox()
        #expect([1, 2, 3, 4].map { post.post($0) } == [true, true, true, false])
        // Messages that came before anybody read are not lost.
        try post.attach(on: loop) { inbox.batches.append($0) }
        #expect(try loop.run(for: patience) { !inbox.batches.isEmpty })
        #expect(inbox.messages == [1, 2, 3])
        #expect(post.post(5))
    }

    @Test func `many threads post at once, and each one's messages keep their order`() throws {
        let loop = try EventLoop()
        let post = try LoopPost<Int>(capacity: 40_000)
        let inbox = Inbox()
        try post.attach(on: loop) { inbox.batches.append($0) }
        let threads = 8
        DispatchQueue.global().async {
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                for number in 0..<4_000 { _ = post.post(thread << 16 | number) }
            }
        }
        #expect(try loop.run(for: patience) { inbox.messages.count == threads * 4_000 })
        for thread in 0..<threads {
            #expect(inbox.messages.filter { $0 >> 16 == thread }.map { $0 & 0xFFFF } == Array(0..<4_000))
        }
    }

    @Test func `a cancelled watch takes nothing more`() throws {
        let loop = try EventLoop()
        let post = try LoopPost<Int>(capacity: 10)
        let inbox = Inbox()
        let watch = try post.attach(on: loop) { inbox.batches.append($0) }
        watch.cancel()
        #expect(post.post(1))
        #expect(try !loop.run(for: .milliseconds(20)) { !inbox.batches.isEmpty })
        #expect(loop.registrationCount == 0)
    }
}
