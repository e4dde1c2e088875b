import Testing

/// What a page decides when it is not connected, step by step, in a browser that has the real file.
@Suite(.serialized) struct PageConnectionTests {
    /// Steps are `TIME EVENT [REASON]`; what becomes of each is its phase and what is to be done.
    private static let play = """
        const [steps, chance] = arguments;
        return import("/connection.mjs").then(({ begin, reduce, secondsLeft }) => {
            let state = begin({ graceMs: 10_000, others: ["b", "c"] });
            return steps.map((step) => {
                const [now, type, reason] = step.split(" ");
                const result = reduce(state, { type, reason }, { now: Number(now), chance });
                state = result.state;
                const done = result.actions.map(({ do: what, url, reason }) => [what, url || reason].filter(Boolean).join(" "));
                const left = secondsLeft(state, Number(now));
                return [state.phase, state.isDeaf && "deaf", ...done, left !== null && `${left} s left`].filter(Boolean).join(", ");
            });
        });
        """

    /// Plays what should happen: pairs of a step and what becomes of it.
    private func expect(
        _ what: String, in page: Browser, chance: Double = 0, _ trace: KeyValuePairs<String, String>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try page.evaluate(Self.play, [trace.map(\.key), chance]) as? [String]
        #expect(outcome == trace.map(\.value), "\(what)", sourceLocation: sourceLocation)
    }

    @Test func `a page finds its gateway again, or another one, and never promises more than there is`() throws {
        let cluster = try TestCluster(AccessibilityTests.topology)
        let page = try Browser(cluster)
        try page.open(Workspace.west.url)
        try expect(
            "a silent stream", in: page,
            [
                "0 start": "connecting, open", "100 opened": "live", "2000 heard": "live", "6900 tick": "live",
                "7000 tick": "reconnecting, close, 5 s left", "7200 tick": "reconnecting, 5 s left",
                "7300 tick": "reconnecting, verify, 5 s left", "7400 verified": "reconnecting, open, 5 s left",
                "7500 opened": "live",
            ])
        try expect(
            "a gateway that takes the question and says nothing", in: page,
            [
                "0 start": "connecting, open", "0 opened": "live", "5000 tick": "reconnecting, close, 5 s left",
                "5300 tick": "reconnecting, verify, 5 s left", "7200 tick": "reconnecting, 3 s left",
                "7300 tick": "moving, close, probe b, 3 s left", "9300 silent": "moving, probe c, 1 s left",
                "9400 answered": "gone, move c, 1 s left", "9500 failed": "gone, 1 s left",
            ])
        try expect(
            "a gateway that is gone, and the others are, too", in: page,
            [
                "0 start": "connecting, open", "0 opened": "live", "1000 failed": "reconnecting, close, 9 s left",
                "1300 tick": "reconnecting, verify, 9 s left", "1300 failed": "reconnecting, close, 9 s left",
                "3000 tick": "moving, close, probe, 7 s left", "3000 silent": "moving, probe b, 7 s left",
                "5000 silent": "moving, probe c, 5 s left", "7000 silent": "moving, 3 s left",
                "7900 tick": "moving, 3 s left", "8000 tick": "moving, close, probe, 2 s left",
                "10500 silent": "moving, probe b, 0 s left", "10500 answered": "gone, move b, 0 s left",
            ])
        try expect(
            "one that comes back is not left", in: page,
            [
                "0 start": "connecting, open", "0 opened": "live",
                "1000 end restarting": "reconnecting, close, 9 s left",
                "3000 tick": "moving, close, probe, 7 s left", "3100 answered": "reconnecting, verify, 7 s left",
                "3200 verified": "reconnecting, open, 7 s left", "3300 opened": "live",
            ])
        try expect(
            "one that hears no node says so until it hears one", in: page,
            [
                "0 start": "connecting, open", "0 opened": "live", "1000 failed": "reconnecting, close, 9 s left",
                "3000 tick": "moving, close, probe, 7 s left", "3000 deaf": "moving, deaf, probe b, 7 s left",
                "3100 silent": "moving, deaf, probe c, 7 s left", "3200 silent": "moving, deaf, 7 s left",
                "4200 tick": "moving, deaf, close, probe, 6 s left", "4300 answered": "reconnecting, verify, 6 s left",
            ])
        try expect(
            "a session that is over", in: page,
            [
                "0 start": "connecting, open", "0 opened": "live",
                "1000 end expired": "ended, close, ended expired, 9 s left",
                "9000 tick": "ended, 1 s left", "9000 opened": "ended, 1 s left",
            ])
        try expect(
            "a session that the gateway does not know", in: page,
            [
                "0 start": "connecting, open", "0 failed": "reconnecting, close", "300 tick": "reconnecting, verify",
                "400 refused revoked": "ended, close, ended revoked",
            ])
        try expect(
            "pages do not come back at the same time", in: page, chance: 0.999,
            [
                "0 start": "connecting, open", "0 opened": "live", "0 failed": "reconnecting, close, 10 s left",
                "798 tick": "reconnecting, 10 s left", "799 tick": "reconnecting, verify, 10 s left",
            ])
    }
}
