import LinuxSystem

/// Writing: what is to be sent is collected during a turn and leaves with one call at its end.
extension StreamConnection {
    /// Lets `write` append to what waits to be written.
    package func writeBytes(_ write: (inout [UInt8]) -> Void) {
        guard phase == .open else { return }
        write(&output)
        outputGrew()
    }

    func outputGrew() {
        if outputBytes > limits.output {
            end(.outputOverflow(bytes: outputBytes))
        } else {
            scheduleFlush()
        }
    }

    func scheduleFlush() {
        guard !flushIsDue else { return }
        flushIsDue = true
        loop.flushAtTurnEnd(self)
    }

    /// Writes as much as the socket takes.
    func writeOutput() {
        if let security { return writeSecured(security) }
        while plainBytes > 0 {
            do throws(SystemError) {
                guard let count = try descriptor.send(output, from: outputStart) else { break }
                counters.bytesOut &+= UInt64(count)
                outputStart += count
            } catch {
                writingFailed(error)
                return
            }
        }
        outputWritten()
    }

    /// All that can be written now has been.
    func outputWritten() {
        releaseWritten()
        adjustToOutput()
        if phase == .closing && outputBytes == 0 { endWriting() }
        updateInterest()
    }

    /// A peer that has closed may have sent something before, so what waits is read first.
    func writingFailed(_ error: SystemError) {
        if error.isReset && phase == .open && !isPaused { readInput() }
        end(error)
    }

    private func releaseWritten() {
        if plainBytes == 0 {
            // A burst's memory is not kept for the quiet time after it.
            output.removeAll(keepingCapacity: output.capacity <= 64 * 1024)
            outputStart = 0
        } else if outputStart > 64 * 1024 && outputStart > output.count / 2 {
            output.removeSubrange(..<outputStart)
            outputStart = 0
        }
    }

    /// A peer that does not read its answers is not read either.
    private func adjustToOutput() {
        if !pausedByOutput && isOutputHigh {
            pausedByOutput = true
        } else if pausedByOutput && outputBytes <= limits.outputHighWater / 2 {
            pausedByOutput = false
            readingMayGoOn()
            loop.soon { [self] in
                guard phase == .open else { return }
                drained()
                relay?.outerDrained()
            }
        }
    }

    /// Everything has been written. Closing at once could destroy it on the way if the peer has sent something that we
    /// have not read, so we say that nothing more comes and wait for the peer to close.
    private func endWriting() {
        guard !writingEnded else { return }
        writingEnded = true
        descriptor.shutdownWriting()
    }
}

extension StreamConnection: TurnFlushing {
    package func flush() {
        flushIsDue = false
        guard phase != .closed else { return }
        writeOutput()
    }
}
