package import ClusterModel
package import WorkspaceCore

/// What stands behind the interface: HTTP's side asks from any thread, the loop answers.
package protocol DeskService: Sendable {
    func ask(_ command: WorkspaceCommand, from source: SourceID) async -> WorkspaceReply
    /// A stream that was opened is `closed`, whoever ends it.
    func open(_ request: StreamRequest) async -> Result<OpenedStream, WorkspaceRefusal>
    func closed(_ stream: StreamID)
}

/// A stream and what it brings; after `end`, nothing.
package struct OpenedStream: Sendable {
    package let id: StreamID
    package let events: AsyncStream<StreamEvent>

    package init(id: StreamID, events: AsyncStream<StreamEvent>) {
        self.id = id
        self.events = events
    }
}
