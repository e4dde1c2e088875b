package import ClusterModel
package import LinuxSystem
import Transport
package import WorkspaceCore

/// The desk as HTTP's threads see it: questions go to the loop, and answers come back from there.
package final class LoopDesk: DeskService {
    /// Questions that wait for the loop.
    package static let capacity = 8_192

    enum Message: Sendable {
        case ask(WorkspaceCommand, SourceID, CheckedContinuation<WorkspaceReply, Never>)
        case open(StreamRequest, CheckedContinuation<Result<OpenedStream, WorkspaceRefusal>, Never>)
        case closed(StreamID)
    }

    let post: LoopPost<Message>

    package init() throws(SystemError) {
        post = try LoopPost(capacity: Self.capacity)
    }

    package func ask(_ command: WorkspaceCommand, from source: SourceID) async -> WorkspaceReply {
        await withCheckedContinuation { continuation in
            if !post.post(.ask(command, source, continuation)) {
                continuation.resume(returning: .refused(WorkspaceRefusal(.busy, retryAfter: 1_000)))
            }
        }
    }

    package func open(_ request: StreamRequest) async -> Result<OpenedStream, WorkspaceRefusal> {
        await withCheckedContinuation { continuation in
            if !post.post(.open(request, continuation)) {
                continuation.resume(returning: .failure(WorkspaceRefusal(.busy, retryAfter: 1_000)))
            }
        }
    }

    package func closed(_ stream: StreamID) {
        // Where it is not taken the stream is found out at the next beat: nobody takes what is pushed.
        _ = post.post(.closed(stream))
    }
}
