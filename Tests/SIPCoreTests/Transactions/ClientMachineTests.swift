import ClusterModel
import SIPCore
import Testing

/// The client's machines, arrow by arrow: RFC 6026 figure 6 in place of RFC 3261 figure 5 with a proxy's timer C, and RFC 3261
/// figure 6.
@Suite struct ClientMachineTests {
    // MARK: INVITE

    @Test func `an INVITE that nobody answers is repeated by timer A until timer B`() {
        let schedule = firings(InviteClientMachine(isReliable: false))
        #expect(schedule.map(\.tenth) == [5, 15, 35, 75, 155, 315, 320])
        #expect(schedule.dropLast().allSatisfy { $0.steps == .resend })
        #expect(schedule.last?.steps == [.timedOut, .ended])
        #expect(firings(InviteClientMachine(isReliable: true)).map(\.tenth) == [320])
    }

    @Test(arguments: [false, true])
    func `an INVITE that rings is not repeated, and cancelled when timer C fires`(isReliable: Bool) {
        let ringing = follow(
            InviteClientMachine(isReliable: isReliable),
            [(0.1, .response(100), .passUp, .proceeding), (0.5, .tick, [], .proceeding)])
        #expect(firings(ringing).map(\.tenth) == [1811, 2131])
        #expect(firings(ringing).map(\.steps) == [.cancel, [.timedOut, .ended]])
        let renewed = follow(
            ringing, [(100, .response(183), .passUp, .proceeding), (200, .response(100), .passUp, .proceeding)])
        #expect(firings(renewed).map(\.tenth) == [2810, 3130])
        follow(
            renewed,
            [
                (281, .tick, .cancel, .proceeding), (290, .response(180), .passUp, .proceeding),
                (312.9, .tick, [], .proceeding), (313, .tick, [.timedOut, .ended], .ended),
            ])
    }

    @Test func `its user may set timer C`() {
        var machine = InviteClientMachine(isReliable: false)
        machine.limitRinging(to: 20_000_000_000, now: at(0))
        _ = machine.take(.response(180), now: at(1))
        #expect(firings(machine).map(\.tenth) == [210, 530])
        machine.limitRinging(to: 5_000_000_000, now: at(2))
        #expect(firings(machine).map(\.tenth) == [70, 390])
    }

    @Test(arguments: [false, true])
    func `each 2xx is passed up until timer M`(isReliable: Bool) {
        let afterRinging = follow(
            InviteClientMachine(isReliable: isReliable),
            [(1, .response(180), .passUp, .proceeding), (2, .response(200), .passUp, .accepted)])
        let atOnce = follow(
            InviteClientMachine(isReliable: isReliable), [(2, .response(200), .passUp, .accepted)])
        for machine in [afterRinging, atOnce] {
            follow(
                machine,
                [
                    (2, .response(200), .passUp, .accepted), (3, .response(299), .passUp, .accepted),
                    (3, .response(180), [], .accepted), (3, .response(486), [], .accepted), (3, .cancel, [], .accepted),
                    (3, .transportError, [], .accepted), (33.9, .tick, [], .accepted), (34, .tick, .ended, .ended),
                    (34, .response(200), [], .ended), (34, .cancel, [], .ended), (34, .transportError, [], .ended),
                ])
        }
    }

    @Test(arguments: [300, 404, 486, 503, 603] as [UInt16])
    func `another final response is passed up once, and acknowledged until timer D`(status: UInt16) {
        let ringing = follow(
            InviteClientMachine(isReliable: false), [(0.5, .response(180), .passUp, .proceeding)])
        for machine in [InviteClientMachine(isReliable: false), ringing] {
            let completed = follow(
                machine,
                [
                    (1, .response(status), [.acknowledge, .passUp], .completed),
                    (2, .response(status), .resend, .completed), (2, .response(699), .resend, .completed),
                    (2, .response(180), [], .completed), (2, .response(200), [], .completed),
                    (2, .cancel, [], .completed), (32.9, .tick, [], .completed),
                ])
            follow(completed, [(33, .tick, .ended, .ended)])
            follow(completed, [(32, .transportError, [.failed, .ended], .ended)])
        }
        follow(
            InviteClientMachine(isReliable: true),
            [(1, .response(status), [.acknowledge, .passUp, .ended], .ended)])
    }

    @Test func `a CANCEL waits for a provisional response, and a final one makes it needless`() {
        follow(
            InviteClientMachine(isReliable: false),
            [
                (0, .cancel, [], .calling), (0.5, .tick, .resend, .calling),
                (1, .response(100), [.passUp, .cancel], .proceeding), (2, .cancel, [], .proceeding),
                (3, .response(180), .passUp, .proceeding), (32.9, .tick, [], .proceeding),
                (33, .tick, [.timedOut, .ended], .ended),
            ])
        follow(
            InviteClientMachine(isReliable: false),
            [
                (0, .response(180), .passUp, .proceeding), (1, .cancel, .cancel, .proceeding),
                (2, .response(487), [.acknowledge, .passUp], .completed),
            ])
        follow(
            InviteClientMachine(isReliable: false),
            [(0, .cancel, [], .calling), (1, .response(200), .passUp, .accepted)])
        follow(
            InviteClientMachine(isReliable: false),
            [(0, .cancel, [], .calling), (32, .tick, [.timedOut, .ended], .ended)])
    }

    @Test func `an INVITE that cannot be sent fails`() {
        follow(InviteClientMachine(isReliable: true), [(0, .transportError, [.failed, .ended], .ended)])
        follow(
            InviteClientMachine(isReliable: true),
            [(0, .response(180), .passUp, .proceeding), (0, .transportError, [.failed, .ended], .ended)])
    }

    // MARK: Others

    @Test func `a request that nobody answers is repeated by timer E until timer F`() {
        let schedule = firings(NonInviteClientMachine(isReliable: false))
        #expect(schedule.map(\.tenth) == [5, 15, 35, 75, 115, 155, 195, 235, 275, 315, 320])
        #expect(schedule.dropLast().allSatisfy { $0.steps == .resend })
        #expect(schedule.last?.steps == [.timedOut, .ended])
        #expect(firings(NonInviteClientMachine(isReliable: true)).map(\.tenth) == [320])
    }

    @Test func `once it proceeds it is repeated every T2`() {
        let machine = follow(
            NonInviteClientMachine(isReliable: false),
            [(0.2, .response(100), .passUp, .proceeding), (0.3, .response(183), .passUp, .proceeding)])
        #expect(firings(machine).map(\.tenth) == [5, 45, 85, 125, 165, 205, 245, 285, 320])
    }

    @Test(arguments: [200, 302, 404, 500, 600] as [UInt16])
    func `a final response is passed up once, and absorbed until timer K`(status: UInt16) {
        let proceeding = follow(
            NonInviteClientMachine(isReliable: false), [(0, .response(100), .passUp, .proceeding)])
        for machine in [NonInviteClientMachine(isReliable: false), proceeding] {
            follow(
                machine,
                [
                    (1, .response(status), .passUp, .completed), (2, .response(status), [], .completed),
                    (2, .response(100), [], .completed), (2, .transportError, [], .completed),
                    (5.9, .tick, [], .completed), (6, .tick, .ended, .ended), (6, .response(200), [], .ended),
                ])
        }
        follow(NonInviteClientMachine(isReliable: true), [(1, .response(status), [.passUp, .ended], .ended)])
    }

    @Test func `a request that cannot be sent fails`() {
        follow(NonInviteClientMachine(isReliable: true), [(0, .transportError, [.failed, .ended], .ended)])
        follow(
            NonInviteClientMachine(isReliable: false),
            [(0, .response(100), .passUp, .proceeding), (0, .transportError, [.failed, .ended], .ended)])
    }
}
