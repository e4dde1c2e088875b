import ClusterModel
import SIPCore
import Testing

/// The server's machines, arrow by arrow: RFC 6026 figure 5 in place of RFC 3261 figure 7, and RFC 3261 figure 8 with what RFC
/// 4320 says of it.
@Suite struct ServerMachineTests {
    // MARK: INVITE

    @Test func `an INVITE that proceeds says its last provisional response again`() {
        follow(
            InviteServerMachine(isReliable: false),
            [
                (0, .request, .resend, .proceeding), (1, .response(180), .send, .proceeding),
                (2, .request, .resend, .proceeding), (2, .ack, [], .proceeding),
                (3, .transportError, .failed, .proceeding), (999, .tick, [], .proceeding),
            ])
    }

    @Test(arguments: [false, true])
    func `an accepted INVITE absorbs itself and passes ACKs and 2xx on until timer L`(isReliable: Bool) {
        follow(
            InviteServerMachine(isReliable: isReliable),
            [
                (1, .response(200), .send, .accepted), (1, .request, [], .accepted),
                (2, .response(200), .send, .accepted), (2, .response(180), [], .accepted),
                (2, .response(486), [], .accepted), (3, .ack, .passUp, .accepted), (4, .ack, .passUp, .accepted),
                (5, .transportError, .failed, .accepted), (32.9, .tick, [], .accepted), (33, .tick, .ended, .ended),
                (33, .request, [], .ended), (33, .response(200), [], .ended), (33, .ack, [], .ended),
                (33, .transportError, [], .ended), (99, .tick, [], .ended),
            ])
    }

    @Test(arguments: [300, 404, 486, 503, 603] as [UInt16])
    func `a refused INVITE is refused again until the ACK, which is absorbed until timer I`(status: UInt16) {
        let refused = follow(
            InviteServerMachine(isReliable: false),
            [
                (0, .response(status), .send, .completed), (0.2, .request, .resend, .completed),
                (0.3, .response(200), [], .completed), (0.3, .response(180), [], .completed),
                (0.3, .response(status), [], .completed), (0.4, .transportError, .failed, .completed),
            ])
        follow(
            refused,
            [
                (0.5, .tick, .resend, .completed), (0.6, .ack, [], .confirmed), (1.5, .tick, [], .confirmed),
                (1.6, .ack, [], .confirmed), (1.6, .request, [], .confirmed), (1.6, .response(200), [], .confirmed),
                (1.6, .transportError, [], .confirmed), (5.5, .tick, [], .confirmed), (5.6, .tick, .ended, .ended),
            ])
        let schedule = firings(refused)
        #expect(schedule.map(\.tenth) == [5, 15, 35, 75, 115, 155, 195, 235, 275, 315, 320], "timers G and H")
        #expect(schedule.dropLast().allSatisfy { $0.steps == .resend })
        #expect(schedule.last?.steps == [.timedOut, .ended])
    }

    @Test func `over a stream a refusal is not repeated, and the ACK ends it`() {
        let refused = follow(InviteServerMachine(isReliable: true), [(0, .response(486), .send, .completed)])
        follow(refused, [(1, .request, .resend, .completed), (2, .ack, .ended, .ended)])
        #expect(firings(refused).map(\.tenth) == [320])
        #expect(firings(refused).map(\.steps) == [[.timedOut, .ended]])
    }

    // MARK: Others

    @Test func `a request that is tried absorbs itself, and says 100 when timer E of its sender has come to T2`() {
        let tried = follow(
            NonInviteServerMachine(isReliable: false),
            [
                (0, .request, [], .trying), (1, .response(100), [], .trying), (1, .response(183), [], .trying),
                (1, .transportError, .failed, .trying),
            ])
        follow(
            tried,
            [
                (3.4, .tick, [], .trying), (3.5, .tick, .resend, .proceeding), (3.6, .request, .resend, .proceeding),
                (4, .response(183), [], .proceeding), (4, .response(100), .send, .proceeding),
                (4, .transportError, .failed, .proceeding), (5, .response(200), .send, .completed),
            ])
        let schedule = firings(tried)
        #expect(schedule.map(\.tenth) == [35, 370], "T4 after 64 T1")
        #expect(schedule.map(\.steps) == [.resend, [.timedOut, .ended]])
    }

    @Test(arguments: [200, 302, 404, 500, 600] as [UInt16])
    func `a final response is said again until timer J`(status: UInt16) {
        follow(
            NonInviteServerMachine(isReliable: false),
            [
                (1, .response(status), .send, .completed), (2, .request, .resend, .completed),
                (3, .response(200), [], .completed), (3, .response(100), [], .completed),
                (4, .transportError, .failed, .completed), (32.9, .tick, [], .completed), (33, .tick, .ended, .ended),
                (33, .request, [], .ended), (33, .response(200), [], .ended), (33, .transportError, [], .ended),
            ])
    }

    @Test func `over a stream 100 may come early, and a final response ends it`() {
        follow(
            NonInviteServerMachine(isReliable: true),
            [
                (0, .response(100), .send, .proceeding), (3.5, .tick, [], .proceeding),
                (4, .response(200), [.send, .ended], .ended),
            ])
        #expect(firings(NonInviteServerMachine(isReliable: true)).map(\.tenth) == [35, 320])
    }

    @Test func `nobody is told that a request other than INVITE was not answered in time`() {
        follow(
            NonInviteServerMachine(isReliable: false),
            [
                (32, .tick, [], .expired), (33, .request, [], .expired), (33, .response(200), [], .expired),
                (33, .transportError, [], .expired), (36.9, .tick, [], .expired),
                (37, .tick, [.timedOut, .ended], .ended),
            ])
        follow(
            NonInviteServerMachine(isReliable: false),
            [
                (20, .response(408), [], .expired), (21, .request, [], .expired), (21, .response(200), [], .expired),
                (52, .tick, [.timedOut, .ended], .ended),
            ])
        follow(NonInviteServerMachine(isReliable: true), [(20, .response(408), [.timedOut, .ended], .ended)])
        for isReliable in [false, true] {
            follow(InviteServerMachine(isReliable: isReliable), [(31, .response(408), .send, .completed)])
        }
    }
}
