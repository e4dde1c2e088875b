package import LinuxSystem

/// Signals of the process, ends of its children and the like, as events of a loop.
package final class DescriptorWatch {
    private let loop: EventLoop
    private var registration: EventLoop.Registration?
    private var action: (() -> Void)?

    /// Runs `action` whenever the descriptor is readable, until `cancel`; what it leaves unread is reported again. The
    /// descriptor stays its owner's, who cancels before closing it.
    package init(
        _ descriptor: OwnedDescriptor, on loop: EventLoop, _ action: @escaping () -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.action = action
        registration = try loop.register(descriptor, interest: .readable, handler: self)
    }

    /// Nothing is run any more; nothing happens the second time.
    package func cancel() {
        if let registration { loop.unregister(registration) }
        registration = nil
        action = nil
    }
}

extension DescriptorWatch: ReadinessHandler {
    package func ready(_ readiness: Readiness) {
        action?()
    }
}
