import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import Transport
import Wire

// A process of a worker gives everything that it has to another, which serves on in its place: `Predecessor` and `Successor`.
extension Worker {
    // MARK: The one that serves

    /// Whoever asked may have everything.
    func handOver(to caller: FramedConnection) {
        guard let source = role as? any HandoverSource else {
            return refuse(caller, "a \(roleName.rawValue) worker has nothing to hand over")
        }
        expectedSuccessor = nil
        guard !isApplying else {
            let problem = "another topology is just being applied"
            refuse(caller, problem)
            return tell(.servesOn(problem))
        }
        do throws(SystemError) {
            let predecessor = try Predecessor(
                caller, source, on: loop, logger: logger, adoption: { [unowned self] in adoptionListener?.descriptor },
                ended: { [unowned self] in handoverEnded($0) })
            self.predecessor = predecessor
            predecessor.begin()
        } catch {
            refuse(caller, "\(error)")
            tell(.servesOn("\(error)"))
        }
    }

    /// - Parameter problem: nil when the other process serves now.
    private func handoverEnded(_ problem: String?) {
        guard let problem else { return handedOver() }
        predecessor = nil
        logger.warning("serving on, as there was no handover", metadata: ["reason": "\(problem)"])
        tell(.servesOn(problem))
    }

    /// Asked for when the other process serves, and again when nothing is left to be passed on.
    private func handedOver() {
        if let relayed = predecessor?.relayed, relayed > 0 {
            predecessor = nil
            logger.info("handed over; passing on what comes over TLS", metadata: ["connections": "\(relayed)"])
            OwnProcess.setName("tandem relay")
            // What its node was is the other's now.
            role = nil
            isStopping = true
            stopListening()
            return tell(.relays(UInt32(clamping: relayed)))
        }
        if !isStopping { logger.info("handed over") }
        leave()
    }

    /// For so long two processes of a worker serve side by side: the later one has its connections by then, and what it asks others for.
    private static let overlap = Duration.seconds(1)

    /// Controllers find the other one from now on.
    func standDown() {
        stopListening()
        loop.schedule(after: Self.overlap) { [weak self] in self?.stop(exitCode: 0) }
    }

    private func stopListening() {
        adoptionListener?.close()
        adoptionListener = nil
        for caller in callers.values { caller.close(afterFlushing: false) }
    }

    /// The process ends without a word: its connections are another's now.
    private func leave() {
        isStopping = true
        exitCode = 0
        loop.stop()
    }

    // MARK: The one that takes its place

    func takeOver(at path: String) {
        guard role == nil, let setup else { return fail("the controller gave the order to start too early or twice") }
        guard let makeTarget, setup.role == roleName else {
            return fail("a \(roleName.rawValue) worker cannot take the place of another process")
        }
        let role: any WorkerRole
        do throws(RoleFailure) {
            let target = try makeTarget(takeStart(ServerSockets()))
            raiseDescriptorLimit(to: target.descriptorLimit)
            var successor = try Successor(target, setup, at: path)
            let takeover = try successor.run()
            role = target.role
            self.role = role
            listenForControllers(adopting: target.takeAdoptionListener())
            logger.info(
                "took over",
                metadata: [
                    "incarnation": "\(setup.incarnation.rawValue)", "gap": "\(takeover.gap / 1_000) us",
                    "connections": "\(takeover.connections)",
                ])
            tell(.tookOver(takeover))
        } catch {
            fail(error.sentence)
        }
    }
}
